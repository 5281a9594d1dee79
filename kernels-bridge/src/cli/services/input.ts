import type { Resources, Scaling } from '@pilothouse/sdk/internal';
import type { ServiceInput } from '@pilothouse/sdk/node';
import type { Arguments } from '../command.js';

/** A mistake in what was written after a command; its text says what to write. */
export class Misuse extends Error {}

/** `3`, or `1-4` for between one and four. */
export function instancesOf(text: string): number | Pick<Scaling, 'min' | 'max'> {
  const [, min, max] = /^(\d+)(?:(?:-|\.\.)(\d+))?$/.exec(text) ?? [];
  if (min === undefined) throw new Misuse(`"${text}" is no number of instances; write 2, or 1-4.`);
  return max === undefined ? Number(min) : { min: Number(min), max: Number(max) };
}

/** Number of one instance; undefined: it was not named. */
export function instanceOf(value: Arguments['values'][string]): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Misuse(`"${String(value)}" is no number of an instance; write 1, 2 …`);
}

/** What is to be started, as the options of `services start` say it. */
export function serviceInput(
  template: string | undefined,
  command: readonly string[],
  values: Arguments['values'],
): ServiceInput {
  const text = (name: string): string | undefined => (typeof values[name] === 'string' ? values[name] : undefined);
  const resources: Partial<Resources> = {
    ...(values.cores === undefined ? {} : { cores: wholeNumber('cores', values.cores) }),
    ...(values.gpus === undefined ? {} : { gpus: wholeNumber('gpus', values.gpus) }),
    ...(text('memory') === undefined ? {} : { memory: text('memory') }),
  };
  const instances = text('instances');
  const api = text('api');
  return {
    ...(command.length > 0 ? { command: [...command] } : template === undefined ? {} : { template }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
    ...(instances === undefined ? {} : { instances: instancesOf(instances) }),
    ...(api === undefined ? {} : { api: apiOf(api) }),
    params: paramsOf(values.param),
    ...(text('pilot') === undefined ? {} : { pilot: text('pilot') }),
    ...(text('venv') === undefined ? {} : { environment: { venv: text('venv') ?? '' } }),
    ...(text('conda') === undefined ? {} : { environment: { conda: text('conda') ?? '' } }),
    ...(values.open === true ? { allowUnauthenticated: true } : {}),
  };
}

/** `name=value`, where a value that is written like a number or like true and false is one. */
function paramsOf(given: Arguments['values'][string]): Record<string, string | number | boolean> {
  const params: Record<string, string | number | boolean> = {};
  for (const one of Array.isArray(given) ? given : []) {
    const [name = '', ...rest] = String(one).split('=');
    if (rest.length === 0 || name === '')
      throw new Misuse(`"${String(one)}" is no parameter; write --param name=value.`);
    params[name] = readValue(rest.join('='));
  }
  return params;
}

function readValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

const APIS = ['openai', 'ollama', 'open-inference', 'zeromq', 'ru-zmq', 'rest', 'any'] as const;

/** The API that a text names. */
export function apiOf(text: string): (typeof APIS)[number] {
  const api = APIS.find((one) => one === text);
  if (api === undefined) throw new Misuse(`"${text}" is no API; write one of ${APIS.join(', ')}.`);
  return api;
}

function wholeNumber(name: string, value: Arguments['values'][string]): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new Misuse(`--${name} ${String(value)} is no whole number.`);
}
