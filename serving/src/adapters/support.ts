import { PilothouseError, type RequestOp, type ServiceApi } from '@pilothouse/sdk/shared';
import type { Adapter, Outcome, Target } from '../types.js';
import type { HttpReply } from './http/client.js';
import { serverTiming } from './http/server-timing.js';

/** How people call each API. */
export const API_WORDS: Readonly<Record<ServiceApi, string>> = {
  openai: 'the OpenAI API',
  ollama: 'the Ollama API',
  'open-inference': 'the Open Inference Protocol',
  zeromq: 'the ZeroMQ protocol of Pilothouse services',
  'ru-zmq': 'the request-reply protocol of ru.zmq',
  rest: 'plain HTTP',
  any: 'a protocol of its own',
};

/** What users call each kind of request. */
const OP_WORDS: Readonly<Record<RequestOp, string>> = {
  chat: 'chat',
  complete: 'completion',
  embed: 'embedding',
  infer: 'tensor',
  call: 'method',
  rest: 'HTTP',
};

/** What an adapter cannot ask for, in words; undefined where it can. */
export function unsupported(
  adapter: Pick<Adapter, 'api' | 'ops'>,
  name: string,
  op: RequestOp,
): PilothouseError | undefined {
  if (adapter.ops.has(op)) return undefined;
  const takes = [...adapter.ops].map((known) => OP_WORDS[known]).join(', ');
  return new PilothouseError(
    'UNSUPPORTED_REQUEST',
    `${name} speaks ${API_WORDS[adapter.api]} and takes no ${OP_WORDS[op]} requests`,
    {
      hint: takes === '' ? 'Pilothouse starts and watches it, and cannot call it.' : `Ask it for one of: ${takes}.`,
      field: 'request.op',
    },
  );
}

/** Rejects an op that got past {@link unsupported}: for the last arm of a switch. */
export function refuse(adapter: Pick<Adapter, 'api' | 'ops'>, name: string, op: RequestOp): PilothouseError {
  return (
    unsupported(adapter, name, op) ??
    new PilothouseError('UNSUPPORTED_REQUEST', `${name} takes no ${OP_WORDS[op]} requests`, { field: 'request.op' })
  );
}

/** The header that opens a server. */
export function bearer({ key }: Pick<Target, 'key'>): Record<string, string> {
  return key === null ? {} : { authorization: `Bearer ${key}` };
}

/** What is known of an answer at least. */
export const NOTHING_KNOWN: Outcome = {
  finishReason: null,
  usage: null,
  model: null,
  revision: null,
  value: null,
  inference: null,
  queued: null,
  connect: 0,
};

/** Fills an outcome with what the head of an HTTP reply says of time, where the body has not said it. */
export function withTiming(outcome: Outcome, { response, connect }: HttpReply): Outcome {
  const said = serverTiming(response.headers);
  return {
    ...outcome,
    connect,
    inference: outcome.inference ?? said.inference,
    queued: outcome.queued ?? said.queued,
  };
}

/** Whether an HTTP status says that the request was done. */
export function isOk(status: number): boolean {
  return status >= 200 && status <= 299;
}

/** `1 model`, `2 models`. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
