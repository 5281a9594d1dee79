import { PilothouseError, toErrorData } from '../../errors/index.js';
import { newId } from '../../ids/ids.js';
import type { AnswerRecord, Chunk, ChunkBatch, ServiceRecord, Timing } from '../../schemas/index.js';
import type { DirectCaller, DirectOutcome, DirectRequest } from '../../service-definition/direct.js';
import { abortable, LONGEST_MS, secondsOf, timeoutError } from '../deadline.js';
import { isFinal } from '../picture/final.js';
import type { RecordCell } from '../picture/record-cell.js';

/**
 * One request that goes straight to an instance. Its answer is known here alone: Pilothouse neither keeps it nor shows it
 * in its lists.
 */
export class DirectRun {
  readonly #cell: RecordCell<AnswerRecord>;
  readonly #abort = new AbortController();
  readonly #chunks: Chunk[] = [];
  readonly #began = performance.now();
  #wake: () => void = () => undefined;

  constructor(cell: RecordCell<AnswerRecord>) {
    this.#cell = cell;
  }

  /** Resolves, as soon as that is known, with whether an instance has been asked; what goes wrong then is the answer's end. */
  async start(direct: DirectCaller, service: ServiceRecord, request: DirectRequest): Promise<boolean> {
    const { priority, session, instance } = this.#cell.record.options;
    return new Promise((resolve) => {
      const late = this.#endLater();
      direct
        .call(service, request, {
          signal: this.#abort.signal,
          priority,
          session,
          instance,
          onStart: (asked) => {
            this.#asked(asked);
            resolve(true);
          },
          onChunk: (data) => {
            this.#chunks.push({ text: '', at: performance.now() - this.#began, data });
            this.#wake();
          },
        })
        .then(
          (outcome) => {
            if (outcome) this.#answered(outcome);
            resolve(outcome !== undefined);
          },
          (error: unknown) => {
            this.#failed(error);
            resolve(true);
          },
        )
        .finally(late);
    });
  }

  /** Ends it when it takes longer than it may; returns what takes that back. */
  #endLater(): () => void {
    const seconds = secondsOf('timeout', this.#cell.record.options.timeout ?? '10m');
    const timer = setTimeout(
      () => {
        this.#abort.abort(timeoutError(`the call of ${this.#cell.record.service.name}`, seconds));
      },
      Math.min(seconds * 1000, LONGEST_MS),
    );
    return () => clearTimeout(timer);
  }

  /** Cancels it at the instance too. */
  stop(): void {
    this.#abort.abort(
      new PilothouseError('ANSWER_STOPPED', `The call of ${this.#cell.record.service.name} was stopped.`),
    );
  }

  /** Every chunk from the first on, then the final record. */
  async *follow(signal: AbortSignal): AsyncGenerator<ChunkBatch, void, void> {
    for (let from = 0; ; ) {
      const { record } = this.#cell;
      const chunks = this.#chunks.slice(from);
      const next = from + chunks.length;
      if (chunks.length > 0 || isFinal(record)) {
        yield { from, next, chunks, answer: isFinal(record) ? record : null, readAt: null };
        if (isFinal(record)) return;
        from = next;
      } else {
        const change = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await abortable(change, signal);
      }
    }
  }

  #asked(instance: AnswerRecord['instance']): void {
    const { record } = this.#cell;
    const now = new Date().toISOString();
    this.#cell.update({
      ...record,
      id: record.id === '' ? newId('answer') : record.id,
      state: 'STREAMING',
      since: now,
      times: { ...record.times, STREAMING: now },
      instance,
    });
  }

  #answered(outcome: DirectOutcome): void {
    this.#end('DONE', { value: outcome.value, instance: outcome.instance, timing: this.#timing(outcome) });
  }

  #failed(error: unknown): void {
    const { reason } = this.#abort.signal;
    const stopped = reason instanceof PilothouseError && reason.code === 'ANSWER_STOPPED';
    this.#end(stopped ? 'CANCELED' : 'FAILED', {
      error: stopped ? null : toErrorData(reason ?? error),
      finishReason: stopped ? 'stopped' : null,
    });
  }

  #end(state: 'DONE' | 'FAILED' | 'CANCELED', changes: Partial<AnswerRecord>): void {
    const { record } = this.#cell;
    const now = new Date().toISOString();
    const times = { ...record.times, [state]: now };
    const chunks = this.#chunks.length;
    this.#cell.update({ ...record, state, since: now, endedAt: now, times, chunks, ...changes });
    this.#wake();
  }

  /** What is neither waiting nor work is the way there and back: no router lies between. */
  #timing({ total, waited, ran }: DirectOutcome): Timing {
    const first = this.#chunks[0];
    const gaps = this.#chunks
      .slice(1)
      .map((chunk, index) => chunk.at - (this.#chunks[index]?.at ?? chunk.at))
      .sort((a, b) => a - b);
    const quantile = (share: number) => gaps[Math.min(gaps.length - 1, Math.floor(share * gaps.length))] ?? 0;
    return {
      total,
      client: null,
      communication: Math.max(0, total - waited - ran),
      queue: waited,
      service: 0,
      inference: ran,
      ttft: first?.at ?? null,
      gaps: gaps.length === 0 ? null : { p50: quantile(0.5), p99: quantile(0.99) },
      tokensPerSecond: null,
    };
  }
}
