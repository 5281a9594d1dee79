import type { Context } from '../../context.js';
import type { LiveSet } from '../../picture/tasks/task-set-state.js';
import type { LogEntry } from '../../store/log-records.js';

/** Numbers of one line. */
const NUMBERS = 10_000;

/**
 * Writes down the order in which the tasks of a set ended, where they ended in more than one place: each journal has an
 * order of its own, and after a restart nobody could say again how they went together. What readers are told stands here
 * before, so that "go on after the 57th" means the same ever after.
 */
export class OrderLog {
  readonly #changed = new Set<LiveSet>();
  #writing = false;

  constructor(private readonly context: Context) {}

  /** Starts following the picture; returns the way to stop. */
  follow(): () => void {
    const { picture } = this.context;
    for (const set of picture.tasks.sets.values()) this.#look(set);
    return picture.onChange(({ kind, id }) => {
      const set = kind === 'set' ? picture.tasks.set(id) : undefined;
      if (set !== undefined) this.#look(set);
    });
  }

  #look(set: LiveSet): void {
    if (!set.mixed || set.orderWritten >= set.order.length) return;
    this.#changed.add(set);
    if (this.#writing) return;
    this.#writing = true;
    this.#write()
      .catch((error: unknown) => this.context.log.error('the order of results could not be written', error))
      .finally(() => {
        this.#writing = false;
      });
  }

  async #write(): Promise<void> {
    while (this.#changed.size > 0) {
      const entries: LogEntry[] = [];
      for (const set of this.#changed) {
        for (let from = set.orderWritten; from < set.order.length; from += NUMBERS) {
          entries.push({ type: 'set.order', set: set.id, from, numbers: [...set.order.slice(from, from + NUMBERS)] });
        }
      }
      this.#changed.clear();
      if (entries.length > 0) await this.context.events.append(entries, 'soon');
    }
  }
}
