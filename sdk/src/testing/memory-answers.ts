import type { BridgeApi } from '../client/api.js';
import { isFinal } from '../client/picture/final.js';
import { PilothouseError } from '../errors/index.js';
import { newId } from '../ids/ids.js';
import {
  type AnswerRecord,
  type Message,
  requestOptionsSchema,
  requestSchema,
  type ServiceRequest,
  type Timing,
} from '../schemas/index.js';
import type { MemoryBridge } from './memory-bridge.js';
import { parse } from './parse.js';
import { testAnswer } from './records.js';
import type { Script } from './script.js';

const TIMING: Timing = {
  total: 10,
  client: null,
  communication: 1,
  queue: 1,
  service: 2,
  inference: 6,
  ttft: 3,
  gaps: { p50: 1, p99: 2 },
  tokensPerSecond: 100,
};

interface Question {
  readonly service: string;
  readonly request: ServiceRequest;
  readonly options: AnswerRecord['options'];
  readonly owner: string;
  readonly key: string;
  readonly retryOf: string | null;
}

/** The calls `answers.*` over a {@link MemoryBridge}. */
export function memoryAnswers(bridge: MemoryBridge, script: Script): BridgeApi['answers'] {
  const ask = ({ service, request, options, owner, key, retryOf }: Question): AnswerRecord => {
    const found = bridge.find('service', service);
    const answer = bridge.once(key, () =>
      testAnswer({
        state: 'QUEUED',
        service: { id: found.id, name: found.name },
        instance: null,
        request,
        options,
        owner,
        retryOf,
      }),
    );
    if (answer.state === 'QUEUED') void speak(answer.id, request);
    return answer;
  };

  /** Never rejects: what goes wrong is the answer's end. */
  const speak = async (id: string, request: ServiceRequest) => {
    try {
      bridge.move(id, 'STREAMING', { instance: { id: newId('instance'), index: 1 } });
      const messages = spokenTo(request);
      let count = 0;
      for await (const piece of messages ? script.answer(messages) : []) {
        if (isFinal(bridge.find('answer', id))) return;
        bridge.say(id, piece);
        count += 1;
      }
      const value = messages ? null : await told(id, script.reply(request));
      const usage = { promptTokens: messages?.length ?? 1, completionTokens: count };
      bridge.move(id, 'DONE', { timing: TIMING, usage, finishReason: messages ? 'stop' : null, value });
    } catch (cause) {
      const error =
        cause instanceof PilothouseError
          ? cause
          : new PilothouseError('BACKEND_FAILED', cause instanceof Error ? cause.message : String(cause), { cause });
      bridge.move(id, 'FAILED', { error: error.toJSON() });
    }
  };

  /** The value of a reply; what a generator yields before is said piece by piece. */
  const told = async (id: string, reply: unknown): Promise<unknown> => {
    if (!isGenerator(reply)) return reply;
    for (;;) {
      const step = await reply.next();
      if (step.done) return step.value;
      if (isFinal(bridge.find('answer', id))) return null;
      bridge.say(id, '', step.value);
    }
  };

  return {
    ask: async ({ service, request, options, origin, key }) =>
      ask({
        service,
        request: parse(requestSchema, request),
        options: parse(requestOptionsSchema, options ?? {}),
        owner: origin.name,
        key,
        retryOf: null,
      }),
    search: async ({ text = '', service, states, skip = 0, limit = 50 }) => {
      const wanted = text.toLowerCase();
      const found = bridge
        .list('answer', true)
        .filter((answer) => service === undefined || service === answer.service.id || service === answer.service.name)
        .filter((answer) => states === undefined || states.includes(answer.state))
        .map((answer) => ({ ...answer, text: bridge.text(answer.id) }))
        .filter((answer) => `${JSON.stringify(answer.request)}\n${answer.text}`.toLowerCase().includes(wanted))
        .reverse();
      return { answers: found.slice(skip, skip + limit), total: found.length };
    },
    get: async ({ ref }) => ({ ...bridge.find('answer', ref), text: bridge.text(bridge.find('answer', ref).id) }),
    list: async (input) => bridge.list('answer', input?.all ?? false),
    follow: async ({ id, from = 0 }, options) => bridge.follow(bridge.find('answer', id).id, from, options?.signal),
    stop: async ({ ref }) => {
      const { id } = bridge.find('answer', ref);
      bridge.move(id, 'CANCELED', { timing: TIMING, finishReason: 'stopped' });
      return bridge.find('answer', id);
    },
    retry: async ({ ref, origin, key }) => {
      const { service, request, options, id } = bridge.find('answer', ref);
      return ask({ service: service.id, request, options, owner: origin.name, key, retryOf: id });
    },
  };
}

function isGenerator(value: unknown): value is Generator | AsyncGenerator {
  return typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function';
}

/** What a request says in words; null where it is answered with a value. */
function spokenTo(request: ServiceRequest): readonly Message[] | null {
  if (request.op === 'chat') return request.messages;
  return request.op === 'complete' ? [{ role: 'user', content: request.prompt }] : null;
}

/** What requests are answered with where the script does not say: what came in, in the form that goes out. */
export function reply(request: ServiceRequest): unknown {
  switch (request.op) {
    case 'embed':
      return request.input.map((text) => [text.length, 0, 1]);
    case 'infer':
      return request.inputs;
    case 'call':
      return request.input;
    case 'rest':
      return { status: 200, body: request.body ?? null };
    default:
      return null;
  }
}
