import {
  type AnswerRecord,
  type ErrorData,
  PilothouseError,
  type ServiceApi,
  toErrorData,
  toSeconds,
} from '@pilothouse/sdk/internal';
import type { Adapters, Place, Routable, Target } from '@pilothouse/serving';
import type { Clock } from '../../clock.js';
import type { AnswerArchive } from './answer-archive.js';
import { type Answered, Asking } from './asking.js';
import type { Attempt } from './attempt.js';
import type { KeptAnswer } from './kept-answer.js';
import { timingOf } from './timing.js';

/** Characters of one answer; a model that never stops must not fill the memory of the bridge. */
const MAX_TEXT = 4 * 1024 * 1024;
/** Characters of one value as JSON: it travels in one message, which may have 8 MiB. */
const MAX_VALUE = 6 * 1024 * 1024;
/** Longest delay that a timer takes. */
const MAX_TIMER = 2 ** 31 - 1;

/** What a run needs of its surroundings. */
export interface RunContext {
  readonly adapters: Adapters;
  /** Another way to an instance, for requests that name files. */
  readonly forFiles: (service: string, place: Place) => Promise<Target>;
  readonly archive: AnswerArchive;
  readonly clock: Clock;
  /** The record changed: people see it. */
  readonly publish: (answer: KeptAnswer) => void;
  /** Chunks came: people see the count soon. */
  readonly grew: (answer: KeptAnswer) => void;
}

/**
 * Carries one request from QUEUED to its end, and keeps every piece of the answer the moment it is read. Which instances
 * are asked, and how often, is for {@link Asking}.
 */
export class AnswerRun {
  readonly #context: RunContext;
  readonly #answer: KeptAnswer;
  readonly #route: Routable;
  /** When it was accepted, by the monotonic clock. */
  readonly #accepted: number;
  readonly #control = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #asking: Asking;
  readonly ended: Promise<void>;

  constructor(context: RunContext, answer: KeptAnswer, route: Routable, accepted: number) {
    this.#context = context;
    this.#answer = answer;
    this.#route = route;
    this.#accepted = accepted;
    const { request, options, service } = answer.record;
    const seconds = toSeconds(options.timeout ?? '10m');
    this.#timer = setTimeout(() => this.#control.abort(this.#timedOut(seconds)), Math.min(seconds * 1000, MAX_TIMER));
    this.#asking = new Asking({
      route,
      adapter: context.adapters.byApi[route.api],
      request,
      options,
      signal: this.#control.signal,
      now: () => this.#elapsed,
      forFiles: (place) => context.forFiles(service.id, place),
      onWait: (reason) => this.#wait(reason),
      onStart: (attempt) => this.#started(attempt),
      onChunk: (text, data) => this.#take(text, data),
      onFailed: (attempt, error) => this.#failedAt(attempt, error),
    });
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
    let answered: Answered | null = null;
    let failure: unknown;
    try {
      answered = await this.#asking.run();
      checkSize(answered.outcome.value, answered.attempt.target.name);
    } catch (error) {
      failure = error;
    }
    clearTimeout(this.#timer);
    const timing = this.#timing(answered);
    if (answered !== null) {
      const { communication, queue, service, inference } = timing;
      answered.attempt.place.succeeded(timing.total, { communication, queue, service, inference });
    }
    await this.#end(answered, failure, timing);
  }

  async #end(answered: Answered | null, failure: unknown, timing: NonNullable<AnswerRecord['timing']>): Promise<void> {
    const { archive, clock, publish } = this.#context;
    const answer = this.#answer;
    const { record } = answer;
    const stopped = failure instanceof PilothouseError && failure.code === 'ANSWER_STOPPED';
    const state = failure === undefined ? 'DONE' : stopped ? 'CANCELED' : 'FAILED';
    const outcome = answered?.outcome;
    const fields = {
      finishReason: outcome?.finishReason ?? null,
      usage: outcome?.usage ?? null,
      timing,
      model: outcome?.model ?? record.model,
      revision: outcome?.revision ?? null,
      value: failure === undefined ? (outcome?.value ?? null) : null,
      attempts: record.attempts,
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

  #timing(answered: Answered | null) {
    const attempt = answered?.attempt ?? this.#asking.attempt;
    const outcome = answered?.outcome;
    return timingOf({
      sentAt: attempt?.sentAt ?? null,
      endedAt: this.#elapsed,
      chunksAt: this.#answer.chunks.map(({ at }) => at),
      connect: outcome?.connect ?? 0,
      roundTrip: attempt?.place.roundTrip ?? 0,
      inference: outcome?.inference ?? null,
      queued: outcome?.queued ?? null,
      usage: outcome?.usage ?? null,
    });
  }

  #started({ place: { instance }, target }: Attempt): void {
    const { archive, clock, publish } = this.#context;
    const answer = this.#answer;
    if (answer.record.state === 'STREAMING' && answer.record.instance?.id === instance.id) return;
    const by = { id: instance.id, index: instance.index };
    // A gateway knows its services by their names; what model answers, it says with the answer.
    const model = target.gatewayInstance === undefined ? target.model : null;
    answer.enter('STREAMING', clock.iso(), { instance: by, model });
    archive.started(answer, by);
    publish(answer);
  }

  #failedAt({ place }: Attempt, error: ErrorData): void {
    this.#answer.failedAt({ instance: place.instance.index, error });
    this.#context.publish(this.#answer);
  }

  #take(text: string, data: unknown): void {
    // What was read in the same turn as a stop is still text; what comes after it is not wanted.
    if (this.#control.signal.aborted) return;
    const answer = this.#answer;
    const at = Math.round(this.#elapsed * 1000) / 1000;
    answer.take(data === undefined ? { text, at } : { text, at, data }, performance.timeOrigin + performance.now());
    this.#context.archive.grew(answer);
    this.#context.grew(answer);
    if (answer.length > MAX_TEXT) this.#control.abort(tooLong());
  }

  #wait(reason: { readonly code: string; readonly text: string }): void {
    const since = this.#answer.record.reason?.since ?? this.#context.clock.iso();
    if (this.#answer.note({ ...reason, since })) this.#context.publish(this.#answer);
  }

  #describe(failure: unknown): ErrorData {
    const data = toErrorData(failure);
    const { service } = this.#answer.record;
    const instance = this.#asking.attempt?.place.instance.id;
    const ids = { answer: this.#answer.id, service: service.id, ...(instance === undefined ? {} : { instance }) };
    return { ...data, ids: { ...ids, ...data.ids } };
  }

  #timedOut(seconds: number): PilothouseError {
    const attempt = this.#asking.attempt;
    const where = whereItStands(attempt, this.#answer.chunks.length, this.#route.api);
    return new PilothouseError('TIMEOUT', `the answer was not complete within ${seconds} s${where}`, {
      hint: 'Ask again with a longer timeout, or for fewer tokens.',
    });
  }
}

/** What an answer was waiting for when its time was over. */
function whereItStands(attempt: Attempt | undefined, pieces: number, api: ServiceApi): string {
  if (attempt === undefined) return '';
  const { name } = attempt.target;
  if (pieces > 0) return `: ${name} had sent ${pieces} ${pieces === 1 ? 'piece' : 'pieces'} of it`;
  const doing = api === 'ru-zmq' ? 'had not answered' : 'took the request and said nothing';
  return `: ${name} ${attempt.heard ? 'had begun to answer' : doing}`;
}

function checkSize(value: unknown, name: string): void {
  if (value === null || value === undefined || JSON.stringify(value).length <= MAX_VALUE) return;
  throw new PilothouseError(
    'BACKEND_FAILED',
    `${name} answered with more than ${MAX_VALUE / 1024 / 1024} Mi characters`,
    {
      hint: 'Ask for less at a time; through the gateway there is no such limit.',
      retryable: false,
    },
  );
}

function tooLong(): PilothouseError {
  return new PilothouseError('BACKEND_FAILED', `the answer grew over ${MAX_TEXT / 1024 / 1024} Mi characters`, {
    hint: 'Ask with maxTokens; what came so far is kept.',
    retryable: false,
  });
}
