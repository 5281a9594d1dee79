import type { Context } from '../../context.js';
import type { LiveSet } from '../../picture/tasks/task-set-state.js';

/**
 * Keeps the table of tasks from growing for ever: beyond a number of tasks the sets that ended first go, those of calls
 * before all others, since whoever called has the results. Nothing that goes on, or that somebody reads, is touched.
 */
export class TableLimit {
  #busy = false;

  /** @param most - tasks that are kept */
  constructor(
    private readonly context: Context,
    private readonly most: number,
  ) {}

  /** Starts following the picture; returns the way to stop. */
  follow(): () => void {
    const { picture, log } = this.context;
    return picture.onChange(({ kind }) => {
      if (kind !== 'set' || this.#busy || picture.tasks.count <= this.most) return;
      this.#busy = true;
      this.#drop()
        .catch((error: unknown) => log.error('sets that are over could not be taken off the lists', error))
        .finally(() => {
          this.#busy = false;
        });
    });
  }

  async #drop(): Promise<void> {
    const { picture, events } = this.context;
    const over = [...picture.tasks.sets.values()].filter((set) => set.endedAt !== null && set.listeners.size === 0);
    over.sort((a, b) => Number(isOfCalls(b)) - Number(isOfCalls(a)) || (a.endedAt ?? 0) - (b.endedAt ?? 0));
    let excess = picture.tasks.count - this.most;
    const sets: string[] = [];
    for (const set of over) {
      if (excess <= 0) break;
      excess -= set.slots.length;
      sets.push(set.id);
    }
    if (sets.length > 0)
      await events.append([{ type: 'dropped', pilots: [], sets, tasks: [], services: [], batches: [] }]);
  }
}

function isOfCalls({ facts }: LiveSet): boolean {
  return facts.description.template.call !== undefined;
}
