import type { AnyRecord } from '../../schemas/index.js';
import { isFinal } from './final.js';
import { RecordCell } from './record-cell.js';

interface Kept<R extends AnyRecord> {
  readonly cell: RecordCell<R>;
  /** Epoch of the bridge that its last state came from: `seq` counts within it. */
  epoch: number;
}

/** The things of one kind. */
export class Shelf<R extends AnyRecord> {
  readonly #kept = new Map<string, Kept<R>>();
  /** Dropped while live; whoever still holds a handle sees them again when they come back. */
  readonly #lost = new Map<string, Kept<R>>();
  readonly #epoch: () => number;
  readonly #changed: () => void;
  readonly #merge: (known: R, next: R) => R;
  #listed: readonly R[] | null = null;
  /** Ids of the whole picture that is just coming in. */
  #named: Set<string> | null = null;

  /**
   * @param epoch - of the bridge that is connected
   * @param changed - called when a call has brought something new
   * @param merge - makes the new record from what is known and what came, where one leaves something out
   */
  constructor(epoch: () => number, changed: () => void, merge: (known: R, next: R) => R = (_known, next) => next) {
    this.#epoch = epoch;
    this.#changed = changed;
    this.#merge = merge;
  }

  /** Newest first. */
  get listed(): readonly R[] {
    this.#listed ??= [...this.#kept.values()]
      .map(({ cell }) => cell.record)
      .sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
    return this.#listed;
  }

  /** Takes what a call returned, and gives the cell to look at it. */
  put(record: R): RecordCell<R> {
    const cell = this.#set(record);
    this.#changed();
    return cell;
  }

  /** Changes, in the order of their `seq`. */
  apply(records: readonly R[]): void {
    for (const record of records) {
      this.#named?.add(record.id);
      this.#set(record);
    }
  }

  /** A whole picture begins: from now on everything that comes is of it, until {@link settle}. */
  expectAll(): void {
    this.#named = new Set();
  }

  /** The whole picture is there, as it stood at `seq`: what it has not named is gone. */
  settle(seq: number): void {
    const named = this.#named;
    if (named === null) return;
    this.#named = null;
    for (const [id, { cell, epoch }] of [...this.#kept]) {
      // What a call returned after the snapshot was taken is not in it.
      const younger = epoch === this.#epoch() && cell.record.seq > seq;
      if (!named.has(id) && !younger) this.#lose(id);
    }
  }

  remove(id: string): void {
    if (this.#kept.delete(id)) this.#listed = null;
  }

  /** An older state of a thing never replaces a newer one; what an earlier bridge said is always older. */
  #set(record: R): RecordCell<R> {
    const epoch = this.#epoch();
    const known = this.#kept.get(record.id) ?? this.#lost.get(record.id);
    if (known && known.epoch === epoch && record.seq < known.cell.record.seq) return known.cell;
    this.#listed = null;
    this.#lost.delete(record.id);
    if (!known) {
      const cell = new RecordCell(record);
      this.#kept.set(record.id, { cell, epoch });
      return cell;
    }
    known.epoch = epoch;
    this.#kept.set(record.id, known);
    known.cell.update(this.#merge(known.cell.record, record));
    return known.cell;
  }

  /** What a whole picture does not name has lost contact; its absence says nothing about its state. */
  #lose(id: string): void {
    const known = this.#kept.get(id);
    this.remove(id);
    if (!known || isFinal(known.cell.record)) return;
    const { cell } = known;
    cell.update({ ...cell.record, contact: { lost: true, since: new Date().toISOString() } });
    this.#lost.set(id, known);
  }
}
