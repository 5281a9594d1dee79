import type { Observable } from 'rxjs';
import { PilothouseError } from '../../errors/index.js';
import type { TaskCounts, TaskRows, TaskSetRecord } from '../../schemas/index.js';
import { type TaskSetState, taskSetStates } from '../../states/index.js';
import { type Progress, progressOf } from '../../views/task-words.js';
import { withDeadline } from '../deadline.js';
import { decodeError } from '../decode-error.js';
import type { RecordCell } from '../picture/record-cell.js';
import { observe } from '../streams/observe.js';
import { Adder } from '../submission/adder.js';
import { mapMany } from '../submission/many.js';
import { toEntry } from '../submission/task-input.js';
import type {
  CallOptions,
  Explanation,
  Many,
  SetEnd,
  SetResult,
  Task,
  TaskEntryInput,
  TaskFilter,
  TaskSet,
} from '../types.js';
import type { Core } from './core.js';
import { LiveHandle } from './live-handle.js';
import { type DecodeOutcome, readOutcomes, toResult } from './set-results.js';
import { memberHandle, memberHandles } from './task-handle.js';
import { readRows } from './task-rows.js';

const TASKS = 1_000;

/** {@link TaskSet} over a session. */
export class TaskSetHandle<V> extends LiveHandle<TaskSetState, TaskSetRecord> implements TaskSet<V> {
  readonly kind = 'set';
  readonly #decode: DecodeOutcome<V>;
  /** Additions go one after another, so that each knows at which number it begins. */
  #adding: Promise<unknown> = Promise.resolve();

  constructor(core: Core, cell: RecordCell<TaskSetRecord>, decode: DecodeOutcome<V>) {
    super(core, cell, taskSetStates);
    this.#decode = decode;
  }

  get counts(): TaskCounts {
    return this.record.counts;
  }

  get progress(): Progress {
    return progressOf(this.record);
  }

  get results$(): Observable<SetResult<V>> {
    return this.resultsFrom(0);
  }

  resultsFrom(index: number): Observable<SetResult<V>> {
    return observe(this.onClosed, (signal) => this.#read(index, signal));
  }

  override async done(options?: CallOptions): Promise<SetEnd> {
    const status = await super.done(options);
    const { done, failed, canceled } = this.counts;
    return { ...status, done, failed, canceled };
  }

  waitAll(options?: CallOptions): Promise<SetEnd> {
    return this.done(options);
  }

  results(options: CallOptions & { readonly settled: true }): Promise<SetResult<V>[]>;
  results(options?: CallOptions & { readonly settled?: false | undefined }): Promise<V[]>;
  results({
    settled = false,
    ...options
  }: CallOptions & { readonly settled?: boolean | undefined } = {}): Promise<SetResult<V>[] | V[]> {
    return withDeadline(`the results of ${this.name}`, options, null, async (signal) => {
      const results: SetResult<V>[] = [];
      const values: V[] = [];
      for await (const result of this.#read(0, signal)) {
        results[result.number] = result;
        if (result.error === null) values[result.number] = result.value;
        else if (!settled) throw this.#failed(result.error);
      }
      return settled ? results : values;
    });
  }

  waitAny(count = 1, options?: CallOptions): Promise<SetResult<V>[]> {
    return withDeadline(`the first results of ${this.name}`, options, null, async (signal) => {
      const results: SetResult<V>[] = [];
      if (count < 1) return results;
      for await (const result of this.#read(0, signal)) {
        results.push(result);
        if (results.length === count) break;
      }
      return results;
    });
  }

  task(ref: string | number, options?: CallOptions): Promise<Task> {
    return withDeadline(`task ${ref} of ${this.name}`, options, 30, async (signal) => {
      const id = typeof ref === 'number' ? `${this.id}.${ref}` : await this.#idOf(ref, signal);
      return memberHandle(this.core, id, { signal });
    });
  }

  tasks({ state, limit = TASKS, ...options }: TaskFilter = {}): Promise<Task[]> {
    const states = state === undefined ? null : new Set(typeof state === 'string' ? [state] : state);
    return withDeadline(`the tasks of ${this.name}`, options, 60, async (signal) => {
      const rows = await this.#rows(signal);
      const ids = rows.filter((row) => states === null || states.has(row[3])).map(([id]) => id);
      return memberHandles(this.core, ids.slice(0, limit), signal);
    });
  }

  add(descriptions: Many<TaskEntryInput>, options?: CallOptions): Promise<number> {
    return this.#inTurn(() =>
      withDeadline(`adding tasks to ${this.name}`, options, null, async (signal) => {
        const { counts } = await this.refresh({ signal });
        const adder = new Adder(this.core.caller, this, counts.total, signal);
        await adder.addAll(mapMany(descriptions, toEntry), false);
        return adder.taken;
      }),
    );
  }

  closeSubmission(options?: CallOptions): Promise<void> {
    return this.#inTurn(async () => {
      const { open, counts } = await this.refresh(options);
      if (!open) return;
      await this.core.caller.call(`closing ${this.name}`, options, (api, signal) =>
        api.sets.add({ set: this.id, from: counts.total, tasks: [], close: true }, { signal }),
      );
      await this.refresh(options);
    });
  }

  explanation(options?: CallOptions): Promise<Explanation> {
    return this.core.caller.call(`explaining task set ${this.name}`, options, (api, signal) =>
      api.sets.explain({ ref: this.id }, { signal }),
    );
  }

  async cancel(options?: CallOptions): Promise<void> {
    const record = await this.core.caller.call(`canceling task set ${this.name}`, options, (api, signal) =>
      api.sets.cancel({ ref: this.id }, { signal }),
    );
    this.core.store.sets.put(record);
  }

  async retryFailed({
    canceled = false,
    ...options
  }: CallOptions & { readonly canceled?: boolean | undefined } = {}): Promise<TaskSet<V>> {
    const submission = this.core.caller.submission();
    const record = await this.core.caller.call(`retrying task set ${this.name}`, options, (api, signal) =>
      api.sets.retryFailed({ ref: this.id, canceled, ...submission }, { signal }),
    );
    return new TaskSetHandle(this.core, this.core.store.sets.put(record), this.#decode);
  }

  /** How it stands now, asked anew. */
  async refresh(options?: CallOptions): Promise<TaskSetRecord> {
    const record = await this.core.caller.call(`task set ${this.name}`, options, (api, signal) =>
      api.sets.get({ ref: this.id }, { signal }),
    );
    this.core.store.sets.put(record);
    return record;
  }

  async *#read(from: number, signal: AbortSignal): AsyncGenerator<SetResult<V>, void, void> {
    for await (const outcomes of readOutcomes(this.core, this.id, from, signal)) {
      for (const outcome of outcomes) {
        const result = toResult(outcome, this.#decode);
        // Most values are there at once: no turn of the event loop for each of 100,000.
        yield result instanceof Promise ? await result : result;
      }
    }
  }

  #failed(cause: PilothouseError): PilothouseError {
    const { counts } = this.record;
    const others = counts.failed > 1 ? `, and ${counts.failed - 1} more` : '';
    return new PilothouseError(cause.code, `Task set ${this.name}: ${cause.message}${others}`, {
      ...cause.toJSON(),
      hint: [cause.hint, 'Use results({ settled: true }) for all that there is, retryFailed() to run the rest again.']
        .filter(Boolean)
        .join(' '),
      ids: { ...cause.ids, set: this.id },
      cause: cause.cause ?? cause,
    });
  }

  async #idOf(name: string, signal: AbortSignal): Promise<string> {
    if (name.startsWith(`${this.id}.`)) return name;
    for await (const { rows, more } of readRows(this.core, { set: this.id }, signal)) {
      const row = rows.find((known) => known[1] === name);
      if (row) return row[0];
      if (!more) break;
    }
    throw new PilothouseError('TASK_NOT_FOUND', `Task set ${this.name} has no task "${name}".`, {
      hint: 'Use its name, or its number in order of submission, from 0.',
      ids: { set: this.id },
    });
  }

  async #rows(signal: AbortSignal): Promise<TaskRows['rows']> {
    const rows = new Map<string, TaskRows['rows'][number]>();
    for await (const batch of readRows(this.core, { set: this.id }, signal)) {
      for (const row of batch.rows) rows.set(row[0], row);
      if (!batch.more) break;
    }
    const number = (id: string) => Number(id.slice(this.id.length + 1));
    return [...rows.values()].sort((a, b) => number(a[0]) - number(b[0]));
  }

  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#adding.then(run);
    this.#adding = turn.catch((error: unknown) => decodeError(error));
    return turn;
  }
}
