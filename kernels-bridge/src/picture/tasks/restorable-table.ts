import { CHUNK_TASKS, chunkOf, FLAG, placeOf } from './columns.js';
import { type Extra, phaseOf, STATE_NUMBERS, timeColumn } from './facts.js';
import {
  type CachedChunk,
  type CachedSet,
  type CachedShared,
  type ChunkRest,
  chunkFrom,
  parseRest,
} from './table-cache.js';
import { TaskColumns } from './task-columns.js';
import { LiveSet } from './task-set-state.js';

/** How the table goes into the cache and comes back from it, a chunk at a time. */
export class RestorableTable extends TaskColumns {
  /** A chunk for the cache. */
  cachedChunk(index: number): CachedChunk | undefined {
    const chunk = this.chunkList[index];
    if (chunk === undefined) return undefined;
    const extras: Record<string, Extra> = {};
    this.extraLists[index]?.forEach((extra, place) => {
      if (extra !== undefined) extras[place] = extra;
    });
    const ids: Record<string, string> = {};
    for (let place = 0; place < CHUNK_TASKS; place += 1) {
      const id = this.singleIds.get(index * CHUNK_TASKS + place);
      if (id !== undefined) ids[place] = id;
    }
    return { index, bytes: new Uint8Array(chunk.bytes), rest: JSON.stringify({ extras, ids } satisfies ChunkRest) };
  }

  /** Changes whenever `shared` does. */
  get sharedVersion(): number {
    const { pilots, groups, files, signals, placements, offers } = this;
    return this.endSlot + pilots.size + groups.size + files.size + signals.size + placements.size + offers.size;
  }

  get shared(): CachedShared {
    const { pilots, groups, files, signals, placements, offers } = this;
    return {
      end: this.endSlot,
      pilots: pilots.values(),
      groups: groups.values(),
      files: files.values(),
      signals: signals.values(),
      placements: placements.values(),
      offers: offers.values(),
    };
  }

  cachedSets(): CachedSet[] {
    return [...this.setsById.values()].map((set) => {
      return { ...set.cached, facts: set.facts, number: set.number, group: set.group };
    });
  }

  /** Begins to bring back what the cache has; chunks follow, then `restored`. */
  restore(shared: CachedShared, sets: readonly CachedSet[]): void {
    this.pilots.restore(shared.pilots);
    this.groups.restore(shared.groups);
    this.files.restore(shared.files);
    this.signals.restore(shared.signals);
    this.placements.restore(shared.placements);
    this.offers.restore(shared.offers);
    this.endSlot = shared.end;
    for (const { facts, number, group } of sets) {
      const set = new LiveSet(facts, number, group);
      this.setsByNumber[number] = set;
      this.setsById.set(facts.id, set);
      this.ledger.set(set);
    }
  }

  restoreChunk({ index, bytes, rest }: CachedChunk): void {
    const chunk = chunkFrom(bytes);
    const { extras, ids } = parseRest(rest);
    this.chunkList[index] = chunk;
    const own: (Extra | undefined)[] = new Array(CHUNK_TASKS);
    for (const [place, extra] of Object.entries(extras)) own[Number(place)] = extra;
    this.extraLists[index] = own;
    for (const [place, id] of Object.entries(ids)) {
      const slot = index * CHUNK_TASKS + Number(place);
      this.singleSlots.set(id, slot);
      this.singleIds.set(slot, id);
    }
    // Numbers of changes begin anew with each bridge.
    for (let place = 0; place < CHUNK_TASKS; place += 1) chunk.seq[place] = this.ledger.next();
  }

  /** All chunks are there: what follows from them is made. */
  restored(sets: readonly CachedSet[]): void {
    for (let slot = 0; slot < this.endSlot; slot += 1) {
      if (this.chunkList[chunkOf(slot)] === undefined) throw new RangeError(`chunk ${chunkOf(slot)} is missing`);
      const number = this.stateNumber(slot);
      if (number < 0) this.freeSlots.push(slot);
      else this.#restoreInSet(slot, number);
    }
    for (const { facts, ...state } of sets) {
      const set = this.setsById.get(facts.id);
      set?.restore(state);
      set?.settle(this.#lastEnd(set));
    }
    for (const [id, slot] of this.singleSlots) this.ledger.task(id, this.seqOf(slot));
  }

  #restoreInSet(slot: number, state: number): void {
    const set = this.setOf(slot);
    if (set === undefined) return;
    const chunk = this.chunk(slot);
    const place = placeOf(slot);
    set.slots.set(chunk.number[place] ?? 0, slot);
    set.counts.total += 1;
    set.counts[phaseOf(state)] += 1;
    if (this.has(slot, FLAG.resumed)) set.counts.resumed += 1;
    const order = chunk.order[place] ?? 0;
    if (order > 0) set.order.set(order - 1, chunk.number[place] ?? 0);
    const { error } = this.extra(slot);
    if (state === STATE_NUMBERS.FAILED && error) set.failed(this.idOf(slot), this.nameOf(slot), error);
  }

  /** When the last task of a set ended. */
  #lastEnd(set: LiveSet): number {
    let last = Date.parse(set.facts.createdAt);
    const column = timeColumn(STATE_NUMBERS.DONE);
    for (const slot of set.slots) last = Math.max(last, this.chunk(slot).times[placeOf(slot) * 7 + column] ?? 0);
    return last;
  }
}
