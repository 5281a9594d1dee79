import { type Endpoint, PilothouseError, type ServiceSpec } from '@pilothouse/sdk/shared';
import { quote } from '../environments/shell.js';
import { SERVICE_HOST } from './ports.js';

/** What the words in braces stand for. */
export interface Placeholders {
  /** Port numbers by name; the first is the one that is called. */
  readonly ports: ReadonlyMap<string, number>;
  readonly cores: number;
  readonly gpus: number;
  /** 1, 2, 3 … */
  readonly instance: number;
  /** null: no key is asked for */
  readonly apiKeyFile: string | null;
  /** Filled into the environment alone: an argument would show it to everybody on the node. */
  readonly apiKey: string | null;
}

const WORDS = /\{(port|host|cores|gpus|instance|apiKeyFile|apiKey)(?::([a-z][a-z0-9]*))?\}/g;

/** Port numbers of an endpoint, by name. */
export function portsOf({ ports }: Endpoint): Map<string, number> {
  return new Map(Object.entries(ports).map(([name, url]) => [name, Number(new URL(url).port)]));
}

/**
 * Fills the words into the arguments of a command; other braces stay.
 *
 * @throws PilothouseError INVALID_DESCRIPTION for the key itself
 */
export function fillCommand(command: readonly string[], values: Placeholders): string[] {
  return command.map((text) => fill(text, values, { field: 'command' }));
}

/** Fills the words into lines for a shell. @throws PilothouseError INVALID_DESCRIPTION for the key itself */
export function fillSetup(lines: readonly string[], values: Placeholders): string[] {
  return lines.map((text) => fill(text, values, { field: 'setup', shell: true }));
}

/** Fills the same words, and `{apiKey}`, into the values of an environment. */
export function fillEnvironment(env: Readonly<Record<string, string>>, values: Placeholders): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, fill(text, values, { secrets: true })]));
}

/**
 * Checks that the key does not go where others see it.
 *
 * @throws PilothouseError INVALID_DESCRIPTION
 */
export function checkSecrets({ command, setup, probes }: ServiceSpec): void {
  const places: [string, readonly string[]][] = [
    ['command', command],
    ['setup', setup],
    ...Object.entries(probes).map(([role, probe]): [string, readonly string[]] => [
      `probes.${role}.command`,
      probe?.command ?? [],
    ]),
  ];
  for (const [field, texts] of places) if (texts.some((text) => text.includes('{apiKey}'))) throw keyInArguments(field);
}

interface FillOptions {
  readonly secrets?: boolean;
  readonly shell?: boolean;
  readonly field?: string;
}

function fill(text: string, values: Placeholders, { secrets = false, shell = false, field }: FillOptions): string {
  return text.replace(WORDS, (word: string, name: string, of: string | undefined) => {
    if (name === 'apiKey' && !secrets) throw keyInArguments(field);
    const value = wordFor(name, of, values);
    if (value === undefined) return word;
    return shell ? quote(value) : value;
  });
}

function wordFor(name: string, of: string | undefined, values: Placeholders): string | undefined {
  switch (name) {
    case 'port': {
      const [first] = values.ports.values();
      const port = of === undefined ? first : values.ports.get(of);
      return port === undefined ? undefined : String(port);
    }
    case 'host':
      return SERVICE_HOST;
    case 'cores':
      return String(values.cores);
    case 'gpus':
      return String(values.gpus);
    case 'instance':
      return String(values.instance);
    case 'apiKeyFile':
      return values.apiKeyFile ?? undefined;
    default:
      return values.apiKey ?? undefined;
  }
}

function keyInArguments(field: string | undefined): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', 'the key must not stand in arguments, which everybody can read', {
    hint: 'Use {apiKeyFile} there, or put {apiKey} into env.',
    field,
  });
}
