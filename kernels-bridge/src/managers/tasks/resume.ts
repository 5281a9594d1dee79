import { mergeEntry, type ResolvedTaskEntry } from '@pilothouse/sdk/internal';
import type { Picture } from '../../picture/picture.js';
import { FLAG, placeOf } from '../../picture/tasks/columns.js';
import type { TakenOver } from '../../picture/tasks/facts.js';
import { keptTask, outputOf, usageOf } from '../../picture/tasks/task-record.js';
import type { LiveSet } from '../../picture/tasks/task-set-state.js';

/** What earlier runs of a set have done already, by name of the task. */
export class Resume {
  readonly #done = new Map<string, number>();

  constructor(
    private readonly picture: Picture,
    private readonly set: LiveSet,
  ) {
    const { tasks } = picture;
    for (const earlier of this.#earlier()) {
      for (const slot of earlier.slots) {
        const name = tasks.nameOf(slot);
        if (tasks.state(slot) === 'DONE' && !this.#done.has(name)) this.#done.set(name, slot);
      }
    }
  }

  /** What an alike task came to, when there is one that is done. */
  find(name: string, entry: ResolvedTaskEntry): TakenOver | undefined {
    const slot = this.#done.get(name);
    if (slot === undefined) return undefined;
    const { tasks } = this.picture;
    const group = tasks.groups.get(tasks.chunk(slot).group[placeOf(slot)] ?? 0);
    if (group === undefined) return undefined;
    const before = mergeEntry(group.template, keptTask(tasks, slot).entry);
    if (canonical(before) !== canonical(mergeEntry(this.set.facts.description.template, entry))) return undefined;
    return {
      from: tasks.extra(slot).resumedFrom ?? tasks.idOf(slot),
      pilot: tasks.pilotOf(slot),
      exitCode: tasks.has(slot, FLAG.exitCode) ? (tasks.chunk(slot).exitCode[placeOf(slot)] ?? null) : null,
      output: outputOf(tasks, slot),
      value: tasks.extra(slot).value ?? null,
      usage: usageOf(tasks, slot),
    };
  }

  /** The latest set of that name and owner, and the sets whose failures it, and each of them, repeats. */
  #earlier(): LiveSet[] {
    const { sets } = this.picture.tasks;
    const wanted = this.set.facts;
    const found: LiveSet[] = [];
    let latest: LiveSet | undefined;
    for (const set of sets.values()) {
      if (set.id === wanted.id) break;
      const { description, owner } = set.facts;
      if (description.name === wanted.description.name && owner === wanted.owner) latest = set;
    }
    for (let set = latest; set !== undefined && !found.includes(set); set = sets.get(set.facts.retryOf ?? '')) {
      found.push(set);
    }
    return found;
  }
}

/** A description as text that is the same for the same work: whatever the order of its fields, and wherever it runs. */
export function canonical({ name: _name, pilot: _pilot, ...entry }: ResolvedTaskEntry): string {
  return JSON.stringify(entry, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
