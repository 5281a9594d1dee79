import type { TaskRow, TaskState } from '@pilothouse/sdk/internal';
import { attention, type CellContext, type Column } from './columns.js';
import { AT, STATE_COUNT, type StoreChange, stateOf, type TaskRowStore } from './row-store.js';

/** What of the table is wanted, and in which order. */
export interface Query {
  /** Part of a name, an id, a set's name or a reason, in lower case; empty: everything. */
  readonly text: string;
  /** Only these states; empty: all. */
  readonly states: ReadonlySet<TaskState>;
  /** Only this set; null: all. */
  readonly set: string | null;
  readonly group: 'none' | 'set' | 'state';
  /** null: in the order they were submitted. */
  readonly sort: { readonly column: Column; readonly descending: boolean } | null;
  /** Keys of groups that are closed. */
  readonly closed: ReadonlySet<string>;
}

/** A group of rows, which has a row of its own above them. */
export interface Group {
  /** Set id or state; empty: tasks of no set. */
  readonly key: string;
  /** Rows in it that pass the filter. */
  readonly size: number;
  readonly open: boolean;
}

/** More rows than this are sorted on request only: it takes longer than a frame. */
const SORT_BY_ITSELF = 3000;

/**
 * Which row stands where. It changes only in {@link rebuild}: what happens in between changes rows in place and is
 * counted, so that nothing moves under the pointer.
 */
export class RowOrder {
  /** Slot at each place; below zero: the group with number `-n - 1`. */
  places = new Int32Array(0);
  length = 0;
  groups: readonly Group[] = [];
  /** Rows that pass the filter, those in closed groups included. */
  matching = 0;
  /** Rows that would stand elsewhere, come or go. */
  readonly stale = new Set<number>();
  #placeOf = new Int32Array(0);
  #removed = 0;

  constructor(
    private readonly store: TaskRowStore,
    public query: Query,
    private readonly context: () => CellContext,
  ) {}

  /** How many rows would stand elsewhere, come or go. */
  get changes(): number {
    return this.stale.size + this.#removed;
  }

  /** Whether {@link rebuild} is quick enough to be done while something else goes on. */
  get cheap(): boolean {
    const { sort } = this.query;
    if (this.store.size <= SORT_BY_ITSELF) return true;
    return this.query.text === '' && (sort === null || sort.column.id === 'state');
  }

  /** Slot of a row, or null where a group stands or nothing. */
  slotAt(place: number): number | null {
    const slot = place < this.length ? this.places[place] : undefined;
    return slot === undefined || slot < 0 ? null : slot;
  }

  rowAt(place: number): TaskRow | null {
    const slot = this.slotAt(place);
    return slot === null ? null : (this.store.rows[slot] ?? null);
  }

  groupAt(place: number): Group | null {
    const slot = place < this.length ? this.places[place] : undefined;
    return slot === undefined || slot >= 0 ? null : (this.groups[-slot - 1] ?? null);
  }

  /** Place of a row; -1 when it is not shown. */
  placeOf(slot: number): number {
    return (this.#placeOf[slot] ?? 0) - 1;
  }

  /** Notes what has changed; everything stays where it is. */
  note(change: StoreChange): void {
    if (change.reset) {
      this.stale.clear();
      this.#removed = 0;
      this.length = 0;
      this.#placeOf.fill(0);
    }
    for (const slot of change.added) if (this.#passes(slot)) this.stale.add(slot);
    for (const { slot, before } of change.changed) if (this.#moves(slot, before)) this.stale.add(slot);
    for (const slot of change.removed) {
      this.stale.delete(slot);
      if (this.placeOf(slot) >= 0) this.#removed += 1;
    }
  }

  /** Puts every row where it belongs now. */
  rebuild(): void {
    const { store, query } = this;
    const slots: number[] = [];
    for (let slot = 0; slot < store.rows.length; slot += 1) if (this.#passes(slot)) slots.push(slot);
    this.matching = slots.length;
    this.#sort(slots);
    const ranks = query.group === 'none' ? null : this.#ranks(slots);
    this.#lay(slots, ranks);
    this.stale.clear();
    this.#removed = 0;
  }

  #passes(slot: number): boolean {
    const { store, query } = this;
    const row = store.rows[slot];
    if (!row) return false;
    if (query.states.size > 0 && !query.states.has(row[AT.state])) return false;
    if (query.set !== null && row[AT.set] !== query.set) return false;
    return query.text === '' || this.#says(row, query.text);
  }

  #says(row: TaskRow, text: string): boolean {
    const set = row[AT.set];
    return (
      row[AT.name].toLowerCase().includes(text) ||
      row[AT.id].includes(text) ||
      (row[AT.reason]?.toLowerCase().includes(text) ?? false) ||
      (set !== null && this.context().setName(set).toLowerCase().includes(text))
    );
  }

  #moves(slot: number, before: number): boolean {
    const { query, store } = this;
    const shown = this.placeOf(slot) >= 0;
    const passes = this.#passes(slot);
    const stateChanged = store.states[slot] !== before;
    if (query.group === 'state' && stateChanged) return passes || shown;
    if (passes !== shown) return shown || !this.#hidden(slot);
    if (!passes) return false;
    if (query.sort === null) return false;
    return query.sort.column.id === 'state' ? stateChanged : query.sort.column.moves && stateChanged;
  }

  /** Whether it belongs to a group that is closed. */
  #hidden(slot: number): boolean {
    const { closed, group } = this.query;
    if (closed.size === 0 || group === 'none') return false;
    const { sets, states } = this.store;
    const key = group === 'set' ? this.store.setOf(sets[slot] ?? 0) : stateOf(states[slot] ?? 0);
    return closed.has(groupKey(group, key ?? ''));
  }

  #sort(slots: number[]): void {
    const { sort } = this.query;
    if (sort === null) {
      if (this.store.inOrder) return;
      const times = slots.map((slot) => this.store.rows[slot]?.[AT.createdAt] ?? 0);
      sortBy(slots, times, false);
      return;
    }
    const { column, descending } = sort;
    if (column.id === 'state') {
      counted(slots, STATE_COUNT + 2, (slot) => {
        const rank = attention(stateOf(this.store.states[slot] ?? 0));
        return descending ? STATE_COUNT + 1 - rank : rank;
      });
      return;
    }
    const context = this.context();
    const keys = slots.map((slot) => {
      const row = this.store.rows[slot];
      return row ? column.key(row, context) : 0;
    });
    if (typeof keys[0] === 'number') sortBy(slots, keys.map(Number), descending);
    else sortByText(slots, keys.map(String), descending);
  }

  /** Number of the group that each slot belongs to, in the order the groups stand. */
  #ranks(slots: readonly number[]): { readonly keys: string[]; readonly rankOf: (slot: number) => number } {
    const { store, query } = this;
    if (query.group === 'state') {
      const states = Array.from({ length: STATE_COUNT }, (_, code) => stateOf(code)).sort(
        (a, b) => attention(a) - attention(b),
      );
      const ranks = states.map((_, code) => states.indexOf(stateOf(code)));
      return { keys: states, rankOf: (slot) => ranks[store.states[slot] ?? 0] ?? 0 };
    }
    // The newest set first; tasks of no set above all.
    const newest = new Float64Array(store.setCodes.length);
    for (const slot of slots) {
      const code = store.sets[slot] ?? 0;
      newest[code] = Math.max(newest[code] ?? 0, store.rows[slot]?.[AT.createdAt] ?? 0);
    }
    const codes = [...store.setCodes].sort((a, b) => {
      if (store.setOf(a) === null) return -1;
      if (store.setOf(b) === null) return 1;
      return (newest[b] ?? 0) - (newest[a] ?? 0);
    });
    const ranks = new Int32Array(codes.length);
    for (const [rank, code] of codes.entries()) ranks[code] = rank;
    return {
      keys: codes.map((code) => store.setOf(code) ?? ''),
      rankOf: (slot) => ranks[store.sets[slot] ?? 0] ?? 0,
    };
  }

  #lay(slots: number[], ranks: { readonly keys: string[]; readonly rankOf: (slot: number) => number } | null): void {
    const { query } = this;
    this.#placeOf = new Int32Array(this.store.rows.length);
    const put = (slot: number): void => {
      this.places[this.length] = slot;
      this.length += 1;
      if (slot >= 0) this.#placeOf[slot] = this.length;
    };
    this.length = 0;
    if (ranks === null) {
      this.places = new Int32Array(slots.length);
      this.groups = [];
      for (const slot of slots) put(slot);
      return;
    }
    counted(slots, ranks.keys.length, ranks.rankOf);
    this.places = new Int32Array(slots.length + ranks.keys.length);
    const groups: Group[] = [];
    for (let from = 0; from < slots.length; ) {
      const rank = ranks.rankOf(slots[from] ?? 0);
      let to = from;
      while (to < slots.length && ranks.rankOf(slots[to] ?? 0) === rank) to += 1;
      const key = ranks.keys[rank] ?? '';
      const open = !query.closed.has(groupKey(query.group, key));
      groups.push({ key, size: to - from, open });
      put(-groups.length);
      if (open) for (let index = from; index < to; index += 1) put(slots[index] ?? 0);
      from = to;
    }
    this.groups = groups;
  }
}

/** How a closed group is remembered: groups by set and by state do not mix. */
export function groupKey(group: Query['group'], key: string): string {
  return `${group}:${key}`;
}

/** Sorts by small whole numbers without comparing; what is equal stays as it was. */
function counted(slots: number[], kinds: number, kindOf: (slot: number) => number): void {
  const starts = new Int32Array(kinds + 1);
  for (const slot of slots) starts[kindOf(slot) + 1] = (starts[kindOf(slot) + 1] ?? 0) + 1;
  for (let kind = 0; kind < kinds; kind += 1) starts[kind + 1] = (starts[kind + 1] ?? 0) + (starts[kind] ?? 0);
  const from = slots.slice();
  for (const slot of from) {
    const kind = kindOf(slot);
    const place = starts[kind] ?? 0;
    slots[place] = slot;
    starts[kind] = place + 1;
  }
}

function sortBy(slots: number[], keys: readonly number[], descending: boolean): void {
  const sign = descending ? -1 : 1;
  permute(slots, (a, b) => sign * ((keys[a] ?? 0) - (keys[b] ?? 0)) || a - b);
}

/** Texts the way people count: `task-2` before `task-10`. */
function sortByText(slots: number[], keys: readonly string[], descending: boolean): void {
  const sign = descending ? -1 : 1;
  const heads: string[] = [];
  const tails = new Float64Array(keys.length);
  for (const [index, key] of keys.entries()) {
    const digits = /\d{1,15}$/.exec(key);
    heads.push((digits === null ? key : key.slice(0, digits.index)).toLowerCase());
    tails[index] = digits === null ? -1 : Number(digits[0]);
  }
  permute(slots, (a, b) => {
    const headA = heads[a] ?? '';
    const headB = heads[b] ?? '';
    if (headA !== headB) return headA < headB ? -sign : sign;
    return sign * ((tails[a] ?? 0) - (tails[b] ?? 0)) || a - b;
  });
}

function permute(slots: number[], compare: (a: number, b: number) => number): void {
  const indexes = Int32Array.from(slots, (_, index) => index).sort(compare);
  const from = slots.slice();
  for (const [place, index] of indexes.entries()) slots[place] = from[index] ?? 0;
}
