import { type TaskRow, type TaskRows, type TaskState, taskStates } from '@pilothouse/sdk/internal';

/** Where each fact stands in a row as it comes over the wire. */
export const AT = {
  id: 0,
  name: 1,
  set: 2,
  state: 3,
  reason: 4,
  since: 5,
  pilot: 6,
  attempt: 7,
  cores: 8,
  gpus: 9,
  createdAt: 10,
  startedAt: 11,
  endedAt: 12,
  exitCode: 13,
} as const;

const STATES = taskStates.states;
const CODE_OF: ReadonlyMap<string, number> = new Map(STATES.map((state, code) => [state, code]));

/** Code of a state in the store's arrays. */
export function stateCode(state: string): number {
  return CODE_OF.get(state) ?? 0;
}

/** The state with that code. */
export function stateOf(code: number): TaskState {
  return STATES[code] ?? taskStates.initial;
}

/** How many states there are. */
export const STATE_COUNT = STATES.length;

/** A text given a small number, so that rows can be told apart and grouped by it without comparing texts. */
class Interned {
  readonly values: (string | null)[] = [];
  readonly #codes = new Map<string | null, number>();

  code(value: string | null): number {
    let code = this.#codes.get(value);
    if (code === undefined) {
      code = this.values.length;
      this.values.push(value);
      this.#codes.set(value, code);
    }
    return code;
  }
}

/** What a batch has done to the store. */
export interface StoreChange {
  /** Everything is new: slots of before mean nothing. */
  readonly reset: boolean;
  /** Slots of rows that are new. */
  readonly added: readonly number[];
  /** Slots of rows that say something else now, with the state they had. */
  readonly changed: readonly { readonly slot: number; readonly before: number }[];
  readonly removed: readonly number[];
}

/**
 * All rows of a table, each in a slot of its own that it keeps: 100,000 rows are changed in place, without copying or
 * comparing what stays. What is filtered, grouped and counted by lies beside them in plain arrays.
 */
export class TaskRowStore {
  /** Rows by slot; null where a row was removed. */
  readonly rows: (TaskRow | null)[] = [];
  /** State codes by slot; see {@link stateOf}. */
  states = new Uint8Array(1024);
  /** Set codes by slot; see {@link setOf}. */
  sets = new Int32Array(1024);
  /** Rows by state code. */
  readonly counts = new Int32Array(STATE_COUNT);
  /** Rows that there are: slots less those removed. */
  size = 0;
  /** False once rows came that are older than those before them. */
  inOrder = true;
  readonly #slots = new Map<string, number>();
  #sets = new Interned();
  #bySet: Int32Array[] = [];

  /** Slot of a task; undefined when it is not in the table. */
  slotOf(id: string): number | undefined {
    return this.#slots.get(id);
  }

  /** The set with that code; null: no set. */
  setOf(code: number): string | null {
    return this.#sets.values[code] ?? null;
  }

  /** Codes of the sets there are, in the order they came. */
  get setCodes(): readonly number[] {
    return this.#sets.values.map((_, code) => code);
  }

  /** Rows of one set by state code. */
  countsOf(setCode: number): Int32Array {
    const counts = this.#bySet[setCode] ?? new Int32Array(STATE_COUNT);
    this.#bySet[setCode] = counts;
    return counts;
  }

  apply({ reset, rows, removed }: Pick<TaskRows, 'reset' | 'rows' | 'removed'>): StoreChange {
    if (reset) this.#clear();
    const added: number[] = [];
    const changed: { slot: number; before: number }[] = [];
    for (const row of rows) {
      const slot = this.#slots.get(row[AT.id]);
      if (slot === undefined) added.push(this.#add(row));
      else changed.push({ slot, before: this.#change(slot, row) });
    }
    const gone: number[] = [];
    for (const id of removed) {
      const slot = this.#slots.get(id);
      if (slot !== undefined) gone.push(this.#remove(id, slot));
    }
    return { reset, added, changed, removed: gone };
  }

  #add(row: TaskRow): number {
    const slot = this.rows.length;
    if (slot >= this.states.length) this.#grow();
    const before = this.rows[slot - 1];
    if (before && row[AT.createdAt] < before[AT.createdAt]) this.inOrder = false;
    this.rows.push(row);
    this.#slots.set(row[AT.id], slot);
    this.sets[slot] = this.#sets.code(row[AT.set]);
    this.size += 1;
    this.#count(slot, stateCode(row[AT.state]), 1);
    return slot;
  }

  #change(slot: number, row: TaskRow): number {
    const before = this.states[slot] ?? 0;
    this.rows[slot] = row;
    const code = stateCode(row[AT.state]);
    if (code !== before) {
      this.#count(slot, before, -1);
      this.#count(slot, code, 1);
    }
    return before;
  }

  #remove(id: string, slot: number): number {
    this.#count(slot, this.states[slot] ?? 0, -1);
    this.rows[slot] = null;
    this.#slots.delete(id);
    this.size -= 1;
    return slot;
  }

  #count(slot: number, code: number, by: 1 | -1): void {
    if (by === 1) this.states[slot] = code;
    this.counts[code] = (this.counts[code] ?? 0) + by;
    const counts = this.countsOf(this.sets[slot] ?? 0);
    counts[code] = (counts[code] ?? 0) + by;
  }

  #grow(): void {
    const states = new Uint8Array(this.states.length * 2);
    states.set(this.states);
    this.states = states;
    const sets = new Int32Array(this.sets.length * 2);
    sets.set(this.sets);
    this.sets = sets;
  }

  #clear(): void {
    this.rows.length = 0;
    this.counts.fill(0);
    this.size = 0;
    this.inOrder = true;
    this.#slots.clear();
    this.#sets = new Interned();
    this.#bySet = [];
  }
}
