import type { Placement, TaskState } from '@pilothouse/sdk/internal';
import { ChangeRing } from './change-ring.js';
import { CHUNK_TASKS, type Chunk, chunkOf, placeOf } from './columns.js';
import { type Extra, isFinalNumber, stateOf, type TaskGroup } from './facts.js';
import { Interned } from './interned.js';
import type { LiveSet } from './task-set-state.js';
import { Texts } from './texts.js';
import { Timelines } from './timelines.js';

/** What the table needs of the picture it is part of. */
export interface Ledger {
  /** A number for a change. */
  next(): number;
  /** A task that is shown by itself has changed. */
  task(id: string, seq: number): void;
  /** A set has changed: told soon, however often. */
  set(set: LiveSet): void;
  /** Ids of tasks of sets that somebody looks at. */
  readonly watched: ReadonlyMap<string, unknown>;
}

/** An offer of tasks to several pilots. */
export interface Offer {
  readonly id: string;
  readonly pilots: readonly string[];
}

/** What tasks of one submission have in common. */
export interface Submission {
  readonly group: number;
  readonly set: LiveSet | undefined;
  readonly pilot: string | null;
  readonly offer: Offer | undefined;
}

/** Of a task that has nothing out of the ordinary. */
export const NO_EXTRA: Extra = Object.freeze({});
/** Milliseconds that names of a set are kept for being asked again. */
const BY_NAME_MS = 30_000;
/** Where the name begins in the text of a task. */
const NAME_AT = '"name":"'.length;

/** Where tasks lie, and how they are read: a task is a slot, which is a place in the columns of a chunk. */
export class TaskColumns {
  readonly pilots = new Interned<string>((id) => id);
  readonly groups = new Interned<TaskGroup>((group) => JSON.stringify(group));
  readonly files = new Interned<string>((file) => file);
  readonly signals = new Interned<string>((signal) => signal);
  readonly placements = new Interned<Placement>((placement) => JSON.stringify(placement));
  readonly offers = new Interned<Offer>(({ id, pilots }) => `${id} ${pilots.join()}`);
  readonly texts = new Texts();
  readonly changes = new ChangeRing();
  readonly timelines = new Timelines();
  protected readonly chunkList: Chunk[] = [];
  protected readonly extraLists: (Extra | undefined)[][] = [];
  protected readonly singleSlots = new Map<string, number>();
  protected readonly singleIds = new Map<number, string>();
  protected readonly setsById = new Map<string, LiveSet>();
  protected readonly setsByNumber: (LiveSet | undefined)[] = [];
  protected readonly freeSlots: number[] = [];
  /** Slots that have changed since the cache was written, by chunk. */
  readonly dirty = new Set<number>();
  protected endSlot = 0;
  /** Names of the set that was last asked by name, for a while. */
  #byName: { readonly set: LiveSet; readonly count: number; readonly slots: Map<string, number> } | undefined;
  #byNameTimer: NodeJS.Timeout | undefined;

  constructor(protected readonly ledger: Ledger) {}

  /** One after the last slot in use. */
  get end(): number {
    return this.endSlot;
  }

  get count(): number {
    return this.endSlot - this.freeSlots.length;
  }

  get singles(): ReadonlyMap<string, number> {
    return this.singleSlots;
  }

  get sets(): ReadonlyMap<string, LiveSet> {
    return this.setsById;
  }

  set(id: string): LiveSet | undefined {
    return this.setsById.get(id);
  }

  setOf(slot: number): LiveSet | undefined {
    const number = this.chunk(slot).set[placeOf(slot)] ?? 0;
    return number === 0 ? undefined : this.setsByNumber[number - 1];
  }

  /** The slot of a task; undefined when there is none of that id. */
  find(id: string): number | undefined {
    const dot = id.lastIndexOf('.');
    if (dot === -1) return this.singleSlots.get(id);
    const number = Number(id.slice(dot + 1));
    return Number.isInteger(number) ? this.setsById.get(id.slice(0, dot))?.slots.get(number) : undefined;
  }

  idOf(slot: number): string {
    const set = this.setOf(slot);
    return set === undefined ? (this.singleIds.get(slot) ?? '') : `${set.id}.${this.chunk(slot).number[placeOf(slot)]}`;
  }

  chunk(slot: number): Chunk {
    const chunk = this.chunkList[chunkOf(slot)];
    if (chunk === undefined) throw new RangeError(`no slot ${slot}`);
    return chunk;
  }

  /** Whether there is a task in a slot. */
  taken(slot: number): boolean {
    return slot < this.endSlot && this.stateNumber(slot) >= 0;
  }

  stateNumber(slot: number): number {
    return (this.chunk(slot).state[placeOf(slot)] ?? 0) - 1;
  }

  state(slot: number): TaskState {
    return stateOf(this.stateNumber(slot));
  }

  /** milliseconds since 1970 */
  createdAt(slot: number): number {
    return this.chunk(slot).created[placeOf(slot)] ?? 0;
  }

  seqOf(slot: number): number {
    return this.chunk(slot).seq[placeOf(slot)] ?? 0;
  }

  isFinal(slot: number): boolean {
    return isFinalNumber(this.stateNumber(slot));
  }

  has(slot: number, flag: number): boolean {
    return ((this.chunk(slot).flags[placeOf(slot)] ?? 0) & flag) !== 0;
  }

  pilotOf(slot: number): string | null {
    return this.pilots.get(this.chunk(slot).pilot[placeOf(slot)] ?? 0) ?? null;
  }

  offerOf(slot: number): Offer | undefined {
    return this.offers.get(this.chunk(slot).offer[placeOf(slot)] ?? 0);
  }

  extra(slot: number): Readonly<Extra> {
    return this.extraLists[chunkOf(slot)]?.[placeOf(slot)] ?? NO_EXTRA;
  }

  /** The text of a task as it was submitted: name, entry, ids of services and of tasks before it. */
  text(slot: number): string {
    const chunk = this.chunk(slot);
    const place = placeOf(slot);
    return this.texts.get(chunk.arena[place] ?? 0, chunk.start[place] ?? 0, chunk.length[place] ?? 0);
  }

  /** The slot of a task of a set by its name; the first of that name. */
  named(set: LiveSet, name: string): number | undefined {
    // Whoever asks for one asks for the next as well.
    if (this.#byName?.set !== set || this.#byName.count !== set.slots.length) {
      const slots = new Map<string, number>();
      for (const slot of set.slots) {
        const other = this.nameOf(slot);
        if (!slots.has(other)) slots.set(other, slot);
      }
      this.#byName = { set, count: set.slots.length, slots };
      clearTimeout(this.#byNameTimer);
      this.#byNameTimer = setTimeout(() => {
        this.#byName = undefined;
      }, BY_NAME_MS).unref();
    }
    return this.#byName.slots.get(name);
  }

  /** All slots in use, the oldest first. */
  *slots(): Generator<number, void, void> {
    for (let slot = 0; slot < this.endSlot; slot += 1) if (this.stateNumber(slot) >= 0) yield slot;
  }

  /** Slots of the tasks bound to a pilot. */
  *on(pilot: string): Generator<number, void, void> {
    const number = this.pilots.find(pilot);
    if (number === undefined) return;
    for (let index = 0; index < this.chunkList.length; index += 1) {
      const column = this.chunkList[index]?.pilot;
      if (column === undefined) continue;
      for (let place = 0; place < CHUNK_TASKS; place += 1) {
        const slot = index * CHUNK_TASKS + place;
        if (column[place] === number && this.taken(slot)) yield slot;
      }
    }
  }

  nameOf(slot: number): string {
    const text = this.text(slot);
    return text.slice(NAME_AT, text.indexOf('"', NAME_AT));
  }
}
