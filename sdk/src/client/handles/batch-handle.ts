import { firstValueFrom, type Observable, skip, timeout } from 'rxjs';
import { PilothouseError } from '../../errors/index.js';
import type { BatchProgress, BatchRecord, BatchRow } from '../../schemas/index.js';
import { type BatchState, batchStates } from '../../states/index.js';
import type { Batch, RowOptions, RowPage } from '../batch-types.js';
import { withDeadline } from '../deadline.js';
import type { RecordCell } from '../picture/record-cell.js';
import { observe } from '../streams/observe.js';
import type { CallOptions, Explanation } from '../types.js';
import type { Core } from './core.js';
import { goneError } from './failures.js';
import { LiveHandle } from './live-handle.js';

/** Rows of one call: about a megabyte where each is an answer of some lines. */
const PAGE = 1_000;
/** Milliseconds after which new rows are asked for although nothing has been heard of them. */
const ASK_AGAIN_MS = 1_000;

/** {@link Batch} over a session. */
export class BatchHandle extends LiveHandle<BatchState, BatchRecord> implements Batch {
  readonly kind = 'batch';

  constructor(core: Core, cell: RecordCell<BatchRecord>) {
    super(core, cell, batchStates);
  }

  get progress(): BatchProgress {
    return this.record.progress;
  }

  get out(): string {
    return this.record.out;
  }

  get rows$(): Observable<BatchRow> {
    return observe(this.onClosed, (signal) => this.#read(signal));
  }

  rows({ from = 0, limit, ...options }: RowOptions = {}): Promise<RowPage> {
    return this.core.caller.call(`the rows of batch ${this.name}`, options, (api, signal) =>
      api.batches.rows({ ref: this.id, from, ...(limit === undefined ? {} : { limit }) }, { signal }),
    );
  }

  results({
    settled = false,
    ...options
  }: CallOptions & { readonly settled?: boolean | undefined } = {}): Promise<BatchRow[]> {
    return withDeadline(`the results of ${this.name}`, options, null, async (signal) => {
      const rows: BatchRow[] = [];
      for await (const row of this.#read(signal)) rows.push(row);
      if (!settled) {
        await this.done({ signal });
        if (this.state !== 'DONE') throw goneError(this.record);
        const failed = rows.find(({ error }) => error !== null);
        if (failed?.error) throw this.#failed(failed, rows);
      }
      return inOrder(rows);
    });
  }

  explanation(options?: CallOptions): Promise<Explanation> {
    return this.core.caller.call(`explaining batch ${this.name}`, options, (api, signal) =>
      api.batches.explain({ ref: this.id }, { signal }),
    );
  }

  async cancel(options?: CallOptions): Promise<void> {
    const record = await this.core.caller.call(`canceling batch ${this.name}`, options, (api, signal) =>
      api.batches.cancel({ ref: this.id }, { signal }),
    );
    this.core.store.batches.put(record);
  }

  async *#read(signal: AbortSignal): AsyncGenerator<BatchRow, void, void> {
    for (let from = 0; ; ) {
      const { progress, state } = this.record;
      const { rows, next, complete } = await this.rows({ from, limit: PAGE, signal });
      yield* rows;
      from = next;
      if (complete) return;
      if (rows.length === 0) await this.#news(progress, state, signal);
    }
  }

  /** Resolves when there may be more rows than there were. */
  async #news(progress: BatchProgress, state: BatchState, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.record.progress !== progress || this.record.state !== state) return;
    const news = this.record$.pipe(skip(1), timeout({ first: ASK_AGAIN_MS, with: () => [undefined] }));
    await firstValueFrom(news, { defaultValue: undefined });
  }

  #failed({ key, error }: BatchRow, rows: readonly BatchRow[]): PilothouseError {
    const others = rows.filter((row) => row.error !== null).length - 1;
    const text = `Batch ${this.name}: row ${key} failed: ${error?.message}${others > 0 ? `, and ${others} more` : ''}`;
    return new PilothouseError('BATCH_FAILED', text, {
      hint: 'Use results({ settled: true }) for all rows; the same call again tries the failed ones once more.',
      ids: { batch: this.id },
      evidence: error?.code,
    });
  }
}

/** Rows of a list as the list was; where keys are no numbers, as they came out. */
function inOrder(rows: BatchRow[]): BatchRow[] {
  if (!rows.every(({ key }) => typeof key === 'number')) return rows;
  return rows.sort((a, b) => Number(a.key) - Number(b.key));
}
