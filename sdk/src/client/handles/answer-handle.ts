import type { Observable } from 'rxjs';
import { PilothouseError, toErrorData } from '../../errors/index.js';
import type { AnswerRecord, Chunk, RequestOptions, ServiceRequest } from '../../schemas/index.js';
import { type Asked, newAnswerRecord } from '../../schemas/new-answer.js';
import { type RequestState, requestStates } from '../../states/index.js';
import { withDeadline } from '../deadline.js';
import { decodeError } from '../decode-error.js';
import { onAbort } from '../on-abort.js';
import { isFinal } from '../picture/final.js';
import { RecordCell } from '../picture/record-cell.js';
import type { Answer, AnswerResult, CallOptions, Explanation } from '../types.js';
import { AnswerReader } from './answer-reader.js';
import type { Core } from './core.js';
import { LiveHandle } from './live-handle.js';

/** {@link Answer} over a session. It exists before the bridge has taken the question; the id comes with that. */
export class AnswerHandle extends LiveHandle<RequestState, AnswerRecord> implements Answer {
  readonly kind = 'answer';
  readonly #reader: AnswerReader;
  #submission: Promise<string>;

  private constructor(core: Core, cell: RecordCell<AnswerRecord>, submission: Promise<string>) {
    super(core, cell, requestStates);
    this.#submission = submission;
    // Whoever reads the answer is told; a question that nobody follows must not end the process.
    submission.catch(() => undefined);
    this.#reader = new AnswerReader(core, () => this.#submission, this.onClosed);
  }

  /** The handle of an answer that the bridge knows. */
  static of(core: Core, cell: RecordCell<AnswerRecord>): AnswerHandle {
    return new AnswerHandle(core, cell, Promise.resolve(cell.record.id));
  }

  /** Asks a service, without waiting. Aborting `signal` stops the answer. */
  static ask(
    core: Core,
    service: { readonly id: string; readonly name: string },
    request: ServiceRequest,
    options: RequestOptions,
    signal?: AbortSignal,
  ): AnswerHandle {
    const submitted = core.caller.submission();
    const cell = new RecordCell(provisional({ service, request, options, owner: submitted.origin.name }));
    const handle = AnswerHandle.#submit(core, cell, () =>
      core.caller.call(`asking ${service.name}`, undefined, (api, abort) =>
        api.answers.ask({ service: service.id, request, options, ...submitted }, { signal: abort }),
      ),
    );
    if (signal) handle.#stopWith(signal);
    return handle;
  }

  static #submit(core: Core, cell: RecordCell<AnswerRecord>, ask: () => Promise<AnswerRecord>): AnswerHandle {
    const submission = ask().then(
      (record) => {
        // From here on the picture's own cell leads, and this one follows it.
        core.store.answers
          .put(record)
          .stream.asObservable()
          .subscribe((known) => cell.update(known));
        return record.id;
      },
      (error: unknown) => {
        const decoded = decodeError(error);
        const now = new Date().toISOString();
        cell.update({ ...cell.record, state: 'FAILED', since: now, endedAt: now, error: toErrorData(decoded) });
        throw decoded;
      },
    );
    return new AnswerHandle(core, cell, submission);
  }

  get text(): string {
    return this.#reader.text;
  }

  get chunks$(): Observable<Chunk> {
    return this.#reader.chunks$;
  }

  get text$(): Observable<string> {
    return this.#reader.text$;
  }

  forEach(consume: (chunk: Chunk) => void, options?: CallOptions): Promise<void> {
    return withDeadline(`answer of ${this.record.service.name}`, options, null, async (signal) => {
      for await (const chunk of this.#reader.iterate(signal)) consume(chunk);
    });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Chunk> {
    return this.#reader.iterate();
  }

  result(options?: CallOptions): Promise<AnswerResult> {
    return withDeadline(`answer of ${this.record.service.name}`, options, null, async (signal) => {
      const { timing, usage, instance, finishReason } = await this.#reader.finished(signal);
      if (timing === null) {
        throw new PilothouseError('INTERNAL', `Answer ${this.id} ended without timing.`, { ids: { answer: this.id } });
      }
      return { text: this.#reader.text, usage, timing, instance: instance?.index ?? null, finishReason };
    });
  }

  async explanation(): Promise<Explanation> {
    const { state, error, reason, service } = this.record;
    const evidence = (error?.evidence ?? reason?.evidence ?? '').split('\n').filter((line) => line !== '');
    if (error) return { text: [error.hint, error.message].filter(Boolean).join(' '), evidence };
    if (reason) return { text: reason.text, evidence };
    return { text: isFinal(this.record) ? `It is ${state}.` : `${service.name} is answering.`, evidence };
  }

  async stop(options?: CallOptions): Promise<void> {
    const record = await this.core.caller.call('stopping the answer', options, async (api, signal) => {
      const id = await this.#submission;
      return api.answers.stop({ ref: id }, { signal });
    });
    this.core.store.answers.put(record);
  }

  retry(): Answer {
    const { service, request, options, id } = this.record;
    if (id === '') return AnswerHandle.ask(this.core, service, request, options);
    const submitted = this.core.caller.submission();
    const cell = new RecordCell(provisional({ service, request, options, owner: submitted.origin.name, retryOf: id }));
    return AnswerHandle.#submit(this.core, cell, () =>
      this.core.caller.call(`asking ${service.name} again`, undefined, (api, abort) =>
        api.answers.retry({ ref: id, ...submitted }, { signal: abort }),
      ),
    );
  }

  protected override async identified(): Promise<void> {
    await this.#submission.catch(() => undefined);
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
function provisional(asked: Asked): AnswerRecord {
  return { ...newAnswerRecord(asked, new Date().toISOString()), id: '' };
}
