import type { TaskOutcome } from '@pilothouse/sdk/internal';
import type { BatchSource } from '../../streams/stream.js';
import { Wakeup } from '../../streams/wakeup.js';
import { taskOutcome } from './task-record.js';
import type { LiveSet } from './task-set-state.js';
import type { TaskTable } from './task-table.js';

/** Outcomes of one batch, and characters of text in them after which it is full. */
const BATCH = 1000;
const BATCH_TEXT = 1024 * 1024;

/** A batch of outcomes. */
export interface Outcomes {
  readonly outcomes: TaskOutcome[];
  readonly next: number;
  readonly complete: boolean;
}

/** The outcomes of one set for one reader, every one from a number on, in the order of completion. */
export class ResultsSource implements BatchSource<Outcomes> {
  readonly #wakeup = new Wakeup();
  readonly #wake = (): void => this.#wakeup.wake();
  #next: number;
  #complete = false;

  constructor(
    private readonly table: TaskTable,
    private readonly set: LiveSet,
    from: number,
  ) {
    this.#next = from;
    set.listeners.add(this.#wake);
  }

  get hasMore(): boolean {
    return this.#next < this.set.told;
  }

  async next(signal: AbortSignal): Promise<Outcomes | null> {
    if (this.#complete) return null;
    while (!this.hasMore && !this.#isComplete()) await this.#wakeup.wait(signal);
    const outcomes: TaskOutcome[] = [];
    let text = 0;
    while (this.hasMore && outcomes.length < BATCH && text < BATCH_TEXT) {
      const slot = this.set.slots.get(this.set.order.get(this.#next) ?? -1);
      if (slot === undefined) break;
      const outcome = taskOutcome(this.table, slot, this.#next);
      outcomes.push(outcome);
      text += sizeOf(outcome);
      this.#next += 1;
    }
    this.#complete = this.#isComplete();
    return { outcomes, next: this.#next, complete: this.#complete };
  }

  close(): void {
    this.set.listeners.delete(this.#wake);
  }

  #isComplete(): boolean {
    return this.set.endedAt !== null && this.#next >= this.set.order.length;
  }
}

function sizeOf({ value, exception, stderrTail }: TaskOutcome): number {
  const inline = value === null || 'file' in value ? 0 : 'pickle' in value ? value.pickle.length : roughly(value.json);
  return inline + (exception?.traceback.length ?? 0) + (stderrTail?.length ?? 0);
}

/** About how much text a value is; exact only where it is large in the usual ways. */
function roughly(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + roughly(one), 0);
  if (typeof value === 'object' && value !== null) {
    return Object.values(value).reduce<number>((sum, one) => sum + roughly(one), 0);
  }
  return 8;
}
