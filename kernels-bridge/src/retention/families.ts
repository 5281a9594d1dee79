import { setImmediate as nextTurn } from 'node:timers/promises';
import { batchStates, type PilotRecord, pilotStates, serviceStates } from '@pilothouse/sdk/internal';
import type { Picture } from '../picture/picture.js';
import { sinceOf } from '../picture/tasks/task-record.js';
import type { Dropped } from './plan.js';

/** Slots that are looked at before others get their turn. */
const PIECE = 5000;

/**
 * Pilots that have to leave together, with everything on them: a set whose tasks ran on several pilots is told by the
 * journals of all of them.
 */
export interface Family extends Dropped {
  /** When the last of it ended, in milliseconds since 1970; null: something of it lives. */
  readonly endedAt: number | null;
  /** A later set of the same name could take its results over. */
  readonly resumable: boolean;
  /** Shown name. */
  readonly name: string;
}

interface Growing {
  pilots: string[];
  sets: string[];
  tasks: string[];
  services: string[];
  batches: string[];
  endedAt: number;
  live: boolean;
  resumable: boolean;
  name: string;
}

/** Sorts everything in the picture into families. What was never bound to a pilot makes families without one. */
export async function findFamilies(picture: Picture): Promise<Family[]> {
  const roots = new Roots();
  for (const pilot of picture.list('pilot')) roots.of(pilot.id);
  const { tasks } = picture;
  const ends = new Map<string, number>();
  const alive = new Set<string>();
  let looked = 0;
  for (const slot of tasks.slots()) {
    looked += 1;
    if (looked % PIECE === 0) await nextTurn();
    // Whatever happened while others had their turn: a slot may be empty now.
    if (!tasks.taken(slot)) continue;
    const pilot = tasks.pilotOf(slot);
    const of = tasks.setOf(slot)?.id ?? tasks.idOf(slot);
    roots.of(of);
    if (pilot !== null) roots.join(of, pilot);
    for (const offered of tasks.offerOf(slot)?.pilots ?? []) roots.join(of, offered);
    if (!tasks.isFinal(slot)) alive.add(of);
    else ends.set(of, Math.max(ends.get(of) ?? 0, sinceOf(tasks, slot)));
  }
  const families = new Map<string, Growing>();
  const family = (id: string): Growing => {
    const root = roots.of(id);
    const found = families.get(root) ?? emptyFamily();
    families.set(root, found);
    return found;
  };
  for (const [id, end] of ends) grow(family(id), end);
  for (const id of alive) family(id).live = true;
  for (const id of tasks.singles.keys()) family(id).tasks.push(id);
  const latest = latestSets(picture);
  for (const [id, set] of tasks.sets) {
    const one = family(id);
    one.sets.push(id);
    one.live ||= set.endedAt === null;
    one.resumable ||= latest.has(id) && set.counts.done > 0;
    grow(one, set.endedAt ?? 0);
  }
  for (const service of picture.list('service')) {
    const one = family(service.pilot ?? service.id);
    one.services.push(service.id);
    one.live ||= !serviceStates.isFinal(service.state);
    grow(one, endOf(service));
  }
  for (const batch of picture.list('batch')) {
    const one = family(batch.pilot ?? batch.id);
    one.batches.push(batch.id);
    one.live ||= !batchStates.isFinal(batch.state);
    grow(one, endOf(batch));
  }
  for (const pilot of picture.list('pilot')) {
    const one = family(pilot.id);
    one.pilots.push(pilot.id);
    one.name ||= pilot.name;
    one.live ||= !pilotStates.isFinal(pilot.state);
    grow(one, endOf(pilot));
  }
  return [...families.values()].map(({ live, endedAt, ...rest }) => ({ ...rest, endedAt: live ? null : endedAt }));
}

/** Sets that a user named, each the latest of its name and owner: those whose results `resume` takes over. */
function latestSets({ tasks }: Picture): ReadonlySet<string> {
  const latest = new Map<string, string>();
  for (const [id, { facts }] of tasks.sets) {
    if (facts.description.name !== undefined) latest.set(JSON.stringify([facts.owner, facts.description.name]), id);
  }
  return new Set(latest.values());
}

function emptyFamily(): Growing {
  return {
    pilots: [],
    sets: [],
    tasks: [],
    services: [],
    batches: [],
    endedAt: 0,
    live: false,
    resumable: false,
    name: '',
  };
}

function grow(family: Growing, end: number): void {
  family.endedAt = Math.max(family.endedAt, end);
}

function endOf({ endedAt }: Pick<PilotRecord, 'endedAt'>): number {
  return endedAt === null ? 0 : Date.parse(endedAt);
}

/** Which ids belong together: each id leads to another of its family, and in the end to the one that stands for all. */
class Roots {
  readonly #leads = new Map<string, string>();

  of(id: string): string {
    let root = id;
    for (let next = this.#leads.get(root); next !== undefined && next !== root; next = this.#leads.get(root))
      root = next;
    if (!this.#leads.has(id)) this.#leads.set(id, root);
    else if (root !== id) this.#leads.set(id, root);
    return root;
  }

  join(a: string, b: string): void {
    this.#leads.set(this.of(a), this.of(b));
  }
}
