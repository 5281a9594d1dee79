import type { TranslationBundle } from '@jupyterlab/translation';
import {
  type Method,
  type RequestOp,
  type RequestOptions,
  requestOptionsSchema,
  type ServiceApi,
  type ServiceRequestInput,
  tensorSchema,
} from '@pilothouse/sdk/internal';
import { exampleOf } from '../format/schema-example.js';

/** What a service of each API can be asked here; the first is the one to begin with. */
export const OPS: Readonly<Record<ServiceApi, readonly RequestOp[]>> = {
  openai: ['chat', 'complete', 'embed'],
  ollama: ['chat', 'complete', 'embed'],
  'open-inference': ['infer'],
  zeromq: ['call'],
  'ru-zmq': ['call'],
  rest: ['rest'],
  any: [],
};

/** One tensor as the form holds it: numbers as people type them. */
export interface TensorDraft {
  readonly name: string;
  readonly datatype: string;
  readonly shape: string;
  readonly data: string;
}

/** Everything that the boxes hold, for each kind of request, so that changing between them loses nothing. */
export interface Drafts {
  readonly chat: { readonly system: string; readonly prompt: string; readonly image: string };
  readonly complete: { readonly prompt: string };
  readonly embed: { readonly input: string };
  readonly infer: { readonly inputs: readonly TensorDraft[]; readonly stream: boolean };
  readonly call: { readonly method: string; readonly input: unknown; readonly stream: boolean };
  readonly rest: { readonly method: RestMethod; readonly path: string; readonly body: string };
}

export const REST_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type RestMethod = (typeof REST_METHODS)[number];

export const DATATYPES = tensorSchema.shape.datatype.options;

/** The boxes as they are at first. */
export function firstDrafts(methods: readonly Method[] | null): Drafts {
  const method = methods?.[0];
  return {
    chat: { system: '', prompt: 'What does ionizing radiation do to DNA?', image: '' },
    complete: { prompt: 'Ionizing radiation damages DNA by' },
    embed: { input: 'ionizing radiation\nDNA repair' },
    infer: { inputs: [{ name: 'input-0', datatype: 'FP32', shape: '1, 3', data: '1, 2, 3' }], stream: false },
    call: methodDraft(method),
    rest: { method: 'GET', path: '/', body: '' },
  };
}

/** The boxes of a call, with an example of what the method takes. */
export function methodDraft(method: Method | undefined): Drafts['call'] {
  return method === undefined
    ? { method: '', input: {}, stream: false }
    : { method: method.name, input: exampleOf(method.input), stream: method.chunk !== null };
}

/** The request that the boxes make, or what is wrong with them, in words. */
export type Made = { readonly request: ServiceRequestInput } | { readonly issue: string };

export function requestOf(op: RequestOp, drafts: Drafts, trans: TranslationBundle): Made {
  switch (op) {
    case 'chat': {
      const { system, prompt, image } = drafts.chat;
      if (prompt.trim() === '') return { issue: trans.__('Write a question first.') };
      const content = image.trim() === '' ? prompt : [{ text: prompt }, { image: image.trim() }];
      return {
        request: {
          op,
          messages: [
            ...(system.trim() === '' ? [] : [{ role: 'system' as const, content: system }]),
            { role: 'user', content },
          ],
        },
      };
    }
    case 'complete':
      return drafts.complete.prompt === ''
        ? { issue: trans.__('Write the beginning of a text first.') }
        : { request: { op, prompt: drafts.complete.prompt } };
    case 'embed': {
      const input = drafts.embed.input.split('\n').filter((line) => line.trim() !== '');
      return input.length === 0 ? { issue: trans.__('Write one text a line.') } : { request: { op, input } };
    }
    case 'infer':
      return inferRequest(drafts.infer, trans);
    case 'call': {
      const { method, input, stream } = drafts.call;
      return method.trim() === ''
        ? { issue: trans.__('Name the method.') }
        : { request: { op, method: method.trim(), input, stream } };
    }
    case 'rest': {
      const { method, path, body } = drafts.rest;
      if (!path.startsWith('/')) return { issue: trans.__('A path starts with /.') };
      if (method === 'GET' || body.trim() === '') return { request: { op, method, path } };
      try {
        const value: unknown = JSON.parse(body);
        return { request: { op, method, path, body: value } };
      } catch (error) {
        return { issue: trans.__('The body is no JSON: %1', error instanceof Error ? error.message : String(error)) };
      }
    }
  }
}

function inferRequest({ inputs, stream }: Drafts['infer'], trans: TranslationBundle): Made {
  const tensors = [];
  for (const draft of inputs) {
    const shape = numbersOf(draft.shape);
    if (shape.length === 0 || shape.some((size) => !Number.isInteger(size) || size < 0)) {
      return { issue: trans.__('The shape of %1 is whole numbers, such as 1, 3.', draft.name) };
    }
    const data = dataOf(draft);
    const wanted = shape.reduce((product, size) => product * size, 1);
    if (data.length !== wanted) {
      return { issue: trans.__('%1 has %2 values, its shape asks for %3.', draft.name, data.length, wanted) };
    }
    const parsed = tensorSchema.safeParse({ name: draft.name, datatype: draft.datatype, shape, data });
    if (!parsed.success || data.some((value) => typeof value === 'number' && !Number.isFinite(value))) {
      return { issue: trans.__('%1 holds something that is no %2.', draft.name, draft.datatype) };
    }
    tensors.push(parsed.data);
  }
  return { request: { op: 'infer', inputs: tensors, stream } };
}

/** Values as typed: numbers, true and false, or, for BYTES, one text a line. */
function dataOf({ datatype, data }: TensorDraft): (number | boolean | string)[] {
  if (datatype === 'BYTES') return data.split('\n').filter((line) => line !== '');
  const words = wordsOf(data);
  return datatype === 'BOOL' ? words.map((word) => /^(true|1)$/i.test(word)) : words.map(Number);
}

function numbersOf(text: string): number[] {
  return wordsOf(text).map(Number);
}

function wordsOf(text: string): string[] {
  return text.split(/[\s,;[\]]+/).filter((word) => word !== '');
}

/** Limits and sampling as the form holds them: texts, so that a half-typed number stays as it is. */
export type OptionsDraft = Readonly<Record<OptionName, string>>;
export const OPTIONS = [
  'maxTokens',
  'temperature',
  'topP',
  'seed',
  'stop',
  'timeout',
  'instance',
  'priority',
  'session',
] as const;
export type OptionName = (typeof OPTIONS)[number];

export const FIRST_OPTIONS: OptionsDraft = {
  maxTokens: '256',
  temperature: '',
  topP: '',
  seed: '',
  stop: '',
  timeout: '',
  instance: '',
  priority: '',
  session: '',
};

const NUMBERS: readonly OptionName[] = ['maxTokens', 'temperature', 'topP', 'seed', 'instance', 'priority'];
/** Those that only generated text has. */
const SAMPLING: readonly OptionName[] = ['maxTokens', 'temperature', 'topP', 'seed', 'stop'];

/** Whether an option means something for that kind of request. */
export function takesOption(op: RequestOp, name: OptionName): boolean {
  return op === 'chat' || op === 'complete' || !SAMPLING.includes(name);
}

/** The options that the boxes make, or the names of those that cannot be used. */
export function optionsOf(
  op: RequestOp,
  draft: OptionsDraft,
): { readonly options: RequestOptions } | { readonly wrong: readonly string[] } {
  const given: Record<string, unknown> = {};
  for (const name of OPTIONS) {
    const text = draft[name];
    if (text.trim() === '' || !takesOption(op, name)) continue;
    given[name] = NUMBERS.includes(name)
      ? Number(text)
      : name === 'stop'
        ? text.split('\n').filter((line) => line !== '')
        : text.trim();
  }
  const parsed = requestOptionsSchema.safeParse(given);
  if (!parsed.success) return { wrong: parsed.error.issues.map((issue) => String(issue.path[0])) };
  const { timeout, ...rest } = parsed.data;
  return { options: given.timeout === undefined ? rest : { timeout, ...rest } };
}
