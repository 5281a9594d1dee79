import { type Message, PilothouseError, type ServiceApi, type ServiceRequest, toErrorData, toSeconds } from '@pilothouse/sdk/internal';
import { neverArrived } from '../../adapters/http-client.js';
import type { ChatApi, ChatOutcome } from '../../adapters/types.js';
import type { Clock } from '../../clock.js';
import type { Lease, Router } from '../../router/router.js';
import type { Addresses } from './addresses.js';
import type { AnswerArchive } from './answer-archive.js';
import type { KeptAnswer } from './kept-answer.js';
import { timingOf } from './timing.js';

function chatMessages(name: string, api: ServiceApi, request: ServiceRequest): readonly Message[] {
  if (api === 'openai' && request.op === 'chat') return request.messages;
  throw new PilothouseError('UNSUPPORTED_REQUEST', `${name} takes no ${request.op} requests`, {
    hint: 'Ask a service whose API has them.',
  });
}

/** Characters of one answer; a model that never stops must not fill the memory of the bridge. */
const MAX_TEXT = 4 * 1024 * 1024;
/** Longest delay that a timer takes. */
const MAX_TIMER = 2 ** 31 - 1;

/** What a run needs of its surroundings. */
export interface RunContext {
  readonly router: Router;
  readonly apis: Readonly<Record<'openai', ChatApi>>;
  readonly addresses: Addresses;
  readonly archive: AnswerArchive;
  readonly clock: Clock;
  /** The record changed: people see it. */
  readonly publish: (answer: KeptAnswer) => void;
  /** Chunks came: people see the count soon. */
  readonly grew: (answer: KeptAnswer) => void;
}

/**
 * Carries one request from QUEUED to its end: waits for a place, asks once, keeps every piece of text the moment it is
 * read. Asking again happens only where nothing of the request can have reached a server.
 */
export class AnswerRun {
  readonly #context: RunContext;
  readonly #answer: KeptAnswer;
  /** When it was accepted, by the monotonic clock. */
  readonly #accepted: number;
  readonly #control = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly ended: Promise<void>;
  #sentAt: number | null = null;
  #roundTrip = 0;
  #outcome: ChatOutcome | null = null;

  constructor(context: RunContext, answer: KeptAnswer, accepted: number) {
    this.#context = context;
    this.#answer = answer;
    this.#accepted = accepted;
    const { timeout } = answer.record.options;
    const seconds = toSeconds(timeout ?? '10m');
    this.#timer = setTimeout(() => this.#control.abort(timedOut(seconds)), Math.min(seconds * 1000, MAX_TIMER));
    this.ended = this.#run();
  }

  /** Stops it at the server too. */
  stop(): void {
    this.#control.abort(new PilothouseError('ANSWER_STOPPED', 'the answer was stopped'));
  }

  /** Ends it because its bridge ends; what came so far is kept. */
  interrupt(why: PilothouseError): void {
    this.#control.abort(why);
  }

  get #elapsed(): number {
    return this.#context.clock.monotonic() - this.#accepted;
  }

  async #run(): Promise<void> {
    const { archive, clock, publish } = this.#context;
    const answer = this.#answer;
    let failure: unknown;
    try {
      await this.#ask();
    } catch (error) {
      failure = error;
    }
    const endedAt = this.#elapsed;
    clearTimeout(this.#timer);
    const stopped = failure instanceof PilothouseError && failure.code === 'ANSWER_STOPPED';
    const outcome = this.#outcome;
    const usage = outcome?.usage ?? null;
    const timing = timingOf({
      sentAt: this.#sentAt,
      endedAt,
      chunksAt: answer.chunks.map(({ at }) => at),
      connect: outcome?.connect ?? 0,
      roundTrip: this.#roundTrip,
      inference: outcome?.inference ?? null,
      usage,
    });
    const state = failure === undefined ? 'DONE' : stopped ? 'CANCELED' : 'FAILED';
    const fields = {
      finishReason: outcome?.finishReason ?? null,
      usage,
      timing,
      model: outcome?.model ?? answer.record.model,
      error: failure === undefined || stopped ? null : this.#describe(failure),
    };
    const t = clock.iso();
    try {
      await archive.end(answer, { type: 'ended', id: answer.id, at: t, state, ...fields });
      answer.enter(state, t, fields);
    } catch (error) {
      // The log cannot be written any more: say so in the answer itself, since its end cannot be promised to last.
      answer.enter('FAILED', t, { ...fields, error: toErrorData(error) });
    }
    publish(answer);
  }

  async #ask(): Promise<void> {
    const { router } = this.#context;
    const { service } = this.#answer.record;
    const { signal } = this.#control;
    const tried = new Set<string>();
    for (;;) {
      const lease = await router.acquire(service.id, { signal, onWait: (reason) => this.#wait(reason) }, tried);
      try {
        await this.#askInstance(lease);
        lease.release(this.#elapsed);
        return;
      } catch (error) {
        if (!neverArrived(error)) {
          lease.release();
          throw error;
        }
        lease.refuse();
        tried.add(lease.instance.id);
        if (!router.hasOther(service.id, tried)) throw error;
      }
    }
  }

  async #askInstance({ service, instance, roundTrip }: Lease): Promise<void> {
    const { addresses, apis, archive, publish } = this.#context;
    const answer = this.#answer;
    const { signal } = this.#control;
    const api = apis.openai;
    const address = await addresses.address(service, instance);
    const model = await addresses.model(service, instance, api, address, signal);
    const { request, options } = answer.record;
    const messages = chatMessages(service.name, service.api, request);
    this.#sentAt = this.#elapsed;
    this.#roundTrip = roundTrip;
    this.#outcome = await api.chat({
      address,
      model,
      messages,
      maxTokens: options.maxTokens,
      temperature: options.temperature,
      seed: options.seed,
      signal,
      onStart: () => {
        const by = { id: instance.id, index: instance.index };
        answer.enter('STREAMING', this.#context.clock.iso(), { instance: by, model });
        archive.started(answer, by);
        publish(answer);
      },
      onText: (text) => this.#take(text),
    });
  }

  #take(text: string): void {
    // What was read in the same turn as a stop is still text; what comes after it is not wanted.
    if (this.#control.signal.aborted) return;
    const answer = this.#answer;
    const at = Math.round(this.#elapsed * 1000) / 1000;
    answer.take({ text, at, readAt: performance.timeOrigin + performance.now() });
    this.#context.archive.grew(answer);
    this.#context.grew(answer);
    if (answer.length > MAX_TEXT) this.#control.abort(tooLong());
  }

  #wait(reason: { code: string; text: string }): void {
    const since = this.#answer.record.reason?.since ?? this.#context.clock.iso();
    if (this.#answer.note({ ...reason, since })) this.#context.publish(this.#answer);
  }

  #describe(failure: unknown) {
    const data = toErrorData(failure);
    const { service, instance } = this.#answer.record;
    const ids = {
      answer: this.#answer.id,
      service: service.id,
      ...(instance === null ? {} : { instance: instance.id }),
    };
    return { ...data, ids: { ...ids, ...data.ids } };
  }
}

function timedOut(seconds: number): PilothouseError {
  return new PilothouseError('TIMEOUT', `the answer was not complete within ${seconds} s`, {
    hint: 'Ask again with a longer timeout, or for fewer tokens.',
  });
}

function tooLong(): PilothouseError {
  return new PilothouseError('BACKEND_FAILED', `the answer grew over ${MAX_TEXT / 1024 / 1024} Mi characters`, {
    hint: 'Ask with maxTokens; what came so far is kept.',
    retryable: false,
  });
}
