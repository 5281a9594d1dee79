import type { Observable } from 'rxjs';
import { PilothouseError, toErrorData } from '../../errors/index.js';
import type {
  AnswerRecord,
  RequestOptions,
  ServiceRecord,
  ServiceRequest,
  Timing,
  Usage,
} from '../../schemas/index.js';
import { newAnswerRecord } from '../../schemas/new-answer.js';
import type { Maybe } from '../../service-definition/check.js';
import type { DirectCaller } from '../../service-definition/direct.js';
import { type RequestState, requestStates } from '../../states/index.js';
import { withDeadline } from '../deadline.js';
import { decodeError } from '../decode-error.js';
import { onAbort } from '../on-abort.js';
import { isFinal } from '../picture/final.js';
import { RecordCell } from '../picture/record-cell.js';
import type { Answer, AnswerChunk, AnswerResult, CallOptions, Explanation } from '../types.js';
import { AnswerReader, type AnswerRoute } from './answer-reader.js';
import type { Core } from './core.js';
import { DirectRun } from './direct-run.js';
import { LiveHandle } from './live-handle.js';
import { type Reading, wholeReading } from './reading.js';

/** A question that has not been taken by then is stopped by its own time-out. */
const STOP_SECONDS = 30;

/** What is asked of which service, and how what comes back is read. */
export interface Question<R, D> {
  readonly service: { readonly id: string; readonly name: string };
  readonly request: ServiceRequest;
  readonly options: RequestOptions;
  readonly reading: Reading<R, D>;
  /** The request as it is sent, checked; default: as it is. What it throws is the answer's failure. */
  readonly checked?: () => Maybe<ServiceRequest>;
  /** The way past the bridge, where there may be one. */
  readonly direct?: { readonly caller: DirectCaller; readonly service: ServiceRecord } | undefined;
}

/** {@link Answer} over a session. It exists before the bridge has taken the question; the id comes with that. */
export class AnswerHandle<R, D> extends LiveHandle<RequestState, AnswerRecord> implements Answer<R, D> {
  readonly kind = 'answer';
  readonly #reader: AnswerReader<D>;
  readonly #reading: Reading<R, D>;
  readonly #submission: Promise<AnswerRoute>;
  readonly #again: (id: string) => AnswerHandle<R, D>;
  #result: Promise<R> | null = null;
  #value: R | null = null;

  private constructor(
    core: Core,
    cell: RecordCell<AnswerRecord>,
    reading: Reading<R, D>,
    submission: Promise<AnswerRoute>,
    again: (id: string) => AnswerHandle<R, D>,
  ) {
    super(core, cell, requestStates);
    this.#reading = reading;
    this.#submission = submission;
    this.#again = again;
    // Whoever reads the answer is told; a question that nobody follows must not end the process.
    submission.catch(() => undefined);
    this.#reader = new AnswerReader(core, () => this.#submission, reading.data, this.onClosed);
  }

  /** The handle of an answer that the bridge knows. */
  static of(core: Core, cell: RecordCell<AnswerRecord>): AnswerHandle<AnswerResult, unknown> {
    const { service, request, options, id } = cell.record;
    const question = { service, request, options, reading: wholeReading };
    return new AnswerHandle(core, cell, wholeReading, Promise.resolve({ id }), (known) =>
      AnswerHandle.#retry(core, question, known),
    );
  }

  /** Asks a service, without waiting. Aborting `signal` stops the answer. */
  static ask<R, D>(core: Core, question: Question<R, D>, signal?: AbortSignal): AnswerHandle<R, D> {
    const { service, options, direct } = question;
    const { origin, key } = core.caller.submission();
    const cell = new RecordCell(provisional(question, origin.name));
    const handle = AnswerHandle.#submit(core, cell, question, async () => {
      const request = question.checked ? await question.checked() : question.request;
      if (direct && request.op === 'call') {
        const run = new DirectRun(cell);
        if (await run.start(direct.caller, direct.service, request)) return { run };
      }
      return core.caller.call(`asking ${service.name}`, undefined, (api, abort) =>
        api.answers.ask({ service: service.id, request, options, origin, key }, { signal: abort }),
      );
    });
    if (signal) handle.#stopWith(signal);
    return handle;
  }

  /** Asks again what the answer of that id was asked. */
  static #retry<R, D>(core: Core, question: Question<R, D>, id: string): AnswerHandle<R, D> {
    const { origin, key } = core.caller.submission();
    const cell = new RecordCell(provisional(question, origin.name, id));
    return AnswerHandle.#submit(core, cell, question, () =>
      core.caller.call(`asking ${question.service.name} again`, undefined, (api, abort) =>
        api.answers.retry({ ref: id, origin, key }, { signal: abort }),
      ),
    );
  }

  static #submit<R, D>(
    core: Core,
    cell: RecordCell<AnswerRecord>,
    question: Question<R, D>,
    ask: () => Promise<AnswerRecord | { readonly run: DirectRun }>,
  ): AnswerHandle<R, D> {
    const submission = ask().then(
      (taken): AnswerRoute => {
        if ('run' in taken) return taken;
        // From here on the picture's own cell leads, and this one follows it.
        core.store.answers
          .put(taken)
          .stream.asObservable()
          .subscribe((known) => cell.update(known));
        return { id: taken.id };
      },
      (error: unknown) => {
        const decoded = decodeError(error);
        const now = new Date().toISOString();
        cell.update({ ...cell.record, state: 'FAILED', since: now, endedAt: now, error: toErrorData(decoded) });
        throw decoded;
      },
    );
    let kept = false;
    submission.then(
      (route) => {
        kept = 'id' in route;
      },
      () => undefined,
    );
    return new AnswerHandle(core, cell, question.reading, submission, (id) =>
      kept ? AnswerHandle.#retry(core, question, id) : AnswerHandle.ask(core, question),
    );
  }

  get text(): string {
    return this.#reader.text;
  }

  get value(): R | null {
    // Reading starts with the first look, as for the text.
    this.#read().catch(() => undefined);
    return this.#value;
  }

  get timing(): Timing | null {
    return this.record.timing;
  }

  get usage(): Usage | null {
    return this.record.usage;
  }

  get instance(): number | null {
    return this.record.instance?.index ?? null;
  }

  get chunks$(): Observable<AnswerChunk<D>> {
    return this.#reader.chunks$;
  }

  get text$(): Observable<string> {
    return this.#reader.text$;
  }

  forEach(consume: (chunk: AnswerChunk<D>) => void, options?: CallOptions): Promise<void> {
    return withDeadline(`answer of ${this.record.service.name}`, options, null, async (signal) => {
      for await (const chunk of this.#reader.iterate(signal)) consume(chunk);
    });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<AnswerChunk<D>> {
    return this.#reader.iterate();
  }

  result(options?: CallOptions): Promise<R> {
    return withDeadline(`answer of ${this.record.service.name}`, options, null, () => this.#read());
  }

  async explanation(): Promise<Explanation> {
    const { state, error, reason, service } = this.record;
    const evidence = (error?.evidence ?? reason?.evidence ?? '').split('\n').filter((line) => line !== '');
    if (error) return { text: [error.hint, error.message].filter(Boolean).join(' '), evidence };
    if (reason) return { text: reason.text, evidence };
    return { text: isFinal(this.record) ? `It is ${state}.` : `${service.name} is answering.`, evidence };
  }

  async stop(options?: CallOptions): Promise<void> {
    const route = await withDeadline('stopping the answer', options, STOP_SECONDS, () => this.#submission);
    if ('run' in route) {
      route.run.stop();
      return;
    }
    const record = await this.core.caller.call('stopping the answer', options, (api, signal) =>
      api.answers.stop({ ref: route.id }, { signal }),
    );
    this.core.store.answers.put(record);
  }

  retry(): Answer<R, D> {
    return this.#again(this.id);
  }

  protected override async identified(): Promise<void> {
    await this.#submission.catch(() => undefined);
  }

  /** Read and checked once, whoever asks for it. */
  #read(): Promise<R> {
    this.#result ??= this.#readOnce();
    return this.#result;
  }

  async #readOnce(): Promise<R> {
    const { text, record } = await this.#reader.finished();
    const { value, timing, usage, instance, finishReason, model, revision } = record;
    if (timing === null) {
      throw new PilothouseError('INTERNAL', `Answer ${this.id} ended without timing.`, { ids: { answer: this.id } });
    }
    const index = instance?.index ?? null;
    const whole = { text, value, usage, timing, instance: index, finishReason, model, revision };
    this.#value = await this.#reading.result(whole);
    return this.#value;
  }

  /** Nobody waits for this stop, and an answer that cannot be stopped any more has ended. */
  #stopWith(signal: AbortSignal): void {
    const leave = onAbort(signal, () => {
      if (!isFinal(this.record)) this.stop().catch(() => undefined);
    });
    this.cell.stream.asObservable().subscribe({ complete: leave });
    this.onClosed(leave);
  }
}

/** What is known of an answer before the bridge has taken the question: everything but its id. */
function provisional(
  { service, request, options }: Pick<Question<unknown, unknown>, 'service' | 'request' | 'options'>,
  owner: string,
  retryOf?: string,
): AnswerRecord {
  return { ...newAnswerRecord({ service, request, options, owner, retryOf }, new Date().toISOString()), id: '' };
}
