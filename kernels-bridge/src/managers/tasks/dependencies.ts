import type { ErrorData, TaskState } from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import { FLAG } from '../../picture/tasks/columns.js';
import { keptTask } from '../../picture/tasks/task-record.js';
import type { TaskTable } from '../../picture/tasks/task-table.js';
import type { Draft } from './task-writer.js';

type When = 'done' | 'finished' | 'failed';

/**
 * Tells agents how tasks elsewhere ended that tasks with them wait for; what waits for a task of its own pilot is that
 * agent's concern. Tasks that no agent has are ended here when what they wait for can no longer come.
 */
export class Dependencies {
  readonly #tasks: TaskTable;
  /** Pilots that wait to hear of a task, and tasks without a pilot that do, by slot. */
  readonly #pilots = new Map<number, Set<string>>();
  readonly #waiting = new Map<number, Set<number>>();
  /** What is to be told, by pilot. */
  readonly #news = new Map<string, Map<string, TaskState>>();

  constructor(private readonly context: Context) {
    this.#tasks = context.picture.tasks;
  }

  /** Tasks that wait for others have been placed; those that were without a pilot are again. */
  placed(drafts: readonly Pick<Draft, 'task'>[]): void {
    for (const { task } of drafts) {
      const slot = this.#tasks.find(task.id);
      if (slot !== undefined && task.after !== undefined) this.#register(slot, task.after);
    }
  }

  /** Looks at all that wait anew: after a start, or when tasks have changed their pilot. */
  scan(): void {
    for (const slot of this.#tasks.slots()) {
      if (!this.#tasks.has(slot, FLAG.after) || this.#tasks.isFinal(slot)) continue;
      this.#register(slot, keptTask(this.#tasks, slot).after ?? []);
    }
  }

  /** A task has ended. */
  ended(slot: number): void {
    const pilots = this.#pilots.get(slot);
    if (pilots !== undefined) {
      this.#pilots.delete(slot);
      for (const pilot of pilots) this.#tell(pilot, slot);
    }
    const waiting = this.#waiting.get(slot);
    if (waiting === undefined) return;
    this.#waiting.delete(slot);
    const failed = [...waiting].filter((one) => this.#isHopeless(one));
    if (failed.length > 0) this.#fail(failed, slot);
  }

  #register(slot: number, after: readonly { readonly task: string; readonly when: When }[]): void {
    const own = this.#tasks.pilotOf(slot);
    const pilots = own === null ? (this.#tasks.offerOf(slot)?.pilots ?? []) : [own];
    for (const { task, when } of after) {
      const other = this.#tasks.find(task);
      if (other === undefined) continue;
      const final = this.#tasks.isFinal(other);
      if (pilots.length === 0) {
        if (!final) addTo(this.#waiting, other, slot);
        else if (!meets(this.#tasks.state(other), when)) this.#fail([slot], other);
      }
      for (const pilot of pilots) {
        if (final) this.#tell(pilot, other);
        else if (this.#tasks.pilotOf(other) !== pilot) addTo(this.#pilots, other, pilot);
      }
    }
  }

  /** Whether something that a task without a pilot waits for has ended otherwise. */
  #isHopeless(slot: number): boolean {
    if (this.#tasks.isFinal(slot) || this.#tasks.pilotOf(slot) !== null || this.#tasks.offerOf(slot) !== undefined) {
      return false;
    }
    return (keptTask(this.#tasks, slot).after ?? []).some(({ task, when }) => {
      const other = this.#tasks.find(task);
      return other !== undefined && this.#tasks.isFinal(other) && !meets(this.#tasks.state(other), when);
    });
  }

  #fail(slots: readonly number[], cause: number): void {
    const { events, log } = this.context;
    const id = this.#tasks.idOf(cause);
    const name = this.#tasks.nameOf(cause);
    const why = this.#tasks.extra(cause).error?.message;
    const error: ErrorData = {
      code: 'DEPENDENCY_FAILED',
      message: `it waited for task "${name}", which is ${this.#tasks.state(cause)}${why ? `: ${why}` : ''}`,
      hint: `Look at task ${id}, then submit both again.`,
      retryable: false,
      ids: { dependency: id },
    };
    events
      .append([{ type: 'tasks.failed', tasks: slots.map((slot) => this.#tasks.idOf(slot)), error }])
      .catch((failure: unknown) => log.error('tasks that cannot start any more could not be ended', failure));
  }

  #tell(pilot: string, slot: number): void {
    if (this.#news.size === 0) queueMicrotask(() => this.#flush());
    let news = this.#news.get(pilot);
    if (news === undefined) {
      news = new Map();
      this.#news.set(pilot, news);
    }
    news.set(this.#tasks.idOf(slot), this.#tasks.state(slot));
  }

  #flush(): void {
    const { spool, link, log } = this.context;
    for (const [pilot, news] of this.#news) {
      this.#news.delete(pilot);
      const tasks = [...news].map(([id, state]) => ({ id, state }));
      spool
        .append(pilot, [{ type: 'settled', tasks }], 'soon')
        .then((lines) => link.spooled(pilot, lines))
        .catch((error: unknown) => log.error(`${pilot} could not be told what its tasks wait for`, error));
    }
  }
}

function meets(state: TaskState, when: When): boolean {
  if (when === 'finished') return true;
  return when === 'done' ? state === 'DONE' : state === 'FAILED';
}

function addTo<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([value]));
  else known.add(value);
}
