import type { TaskRows } from '@pilothouse/sdk/internal';
import type { BatchSource } from '../../streams/stream.js';
import { Wakeup } from '../../streams/wakeup.js';
import type { Picture } from '../picture.js';
import { taskRow } from './task-record.js';

/** Rows of one batch: some milliseconds of work for both ends. */
const BATCH = 2000;

/** What a table of tasks shows. */
export interface RowFilter {
  readonly set?: string | undefined;
  readonly pilot?: string | undefined;
}

/**
 * All tasks as compact rows for one table: first what there is, in pieces, then what has changed since, each task once
 * however often it has changed.
 */
export class RowsSource implements BatchSource<TaskRows> {
  readonly #wakeup = new Wakeup();
  readonly #stop: () => void;
  readonly #pending = new Set<number>();
  #removed: string[] = [];
  /** Next slot of the beginning; null: it has been told. */
  #scan: number | null = 0;
  #reset = true;
  #position: number;

  constructor(
    private readonly picture: Picture,
    private readonly epoch: number,
    private readonly filter: RowFilter,
  ) {
    const { changes } = picture.tasks;
    this.#position = changes.position;
    this.#stop = changes.follow(() => this.#wakeup.wake());
  }

  get hasMore(): boolean {
    return this.#scan !== null || this.#pending.size > 0;
  }

  async next(signal: AbortSignal): Promise<TaskRows> {
    for (;;) {
      if (this.#scan === null) this.#gather();
      const rows = this.#scan === null ? this.#changed() : this.#beginning();
      const reset = this.#reset;
      const removed = this.#removed;
      const { seq } = this.picture;
      if (reset || rows.length > 0 || removed.length > 0) {
        this.#reset = false;
        this.#removed = [];
        return { epoch: this.epoch, seq, reset, more: this.#scan !== null, rows, removed };
      }
      if (!this.hasMore) await this.#wakeup.wait(signal);
    }
  }

  close(): void {
    this.#stop();
  }

  #beginning(): TaskRows['rows'] {
    const { tasks } = this.picture;
    const rows: TaskRows['rows'] = [];
    let slot = this.#scan ?? 0;
    for (; slot < tasks.end && rows.length < BATCH; slot += 1) this.#add(slot, rows);
    this.#scan = slot < tasks.end ? slot : null;
    return rows;
  }

  #gather(): void {
    const { changes } = this.picture.tasks;
    const news = changes.after(this.#position);
    this.#position = changes.position;
    if (news === null) {
      this.#pending.clear();
      this.#reset = true;
      this.#scan = 0;
      return;
    }
    for (const slot of news.slots) this.#pending.add(slot);
    this.#removed.push(...news.removed);
  }

  #changed(): TaskRows['rows'] {
    const rows: TaskRows['rows'] = [];
    for (const slot of this.#pending) {
      if (rows.length === BATCH) break;
      this.#pending.delete(slot);
      this.#add(slot, rows);
    }
    return rows;
  }

  #add(slot: number, rows: TaskRows['rows']): void {
    const { tasks } = this.picture;
    const { set, pilot } = this.filter;
    if (!tasks.taken(slot)) return;
    if (set !== undefined && tasks.setOf(slot)?.id !== set) return;
    if (pilot !== undefined && tasks.pilotOf(slot) !== pilot) return;
    rows.push(taskRow(tasks, slot, (id) => this.picture.get('pilot', id)));
  }
}
