import type { AnyRecord } from '../../schemas/index.js';
import { isFinal } from './final.js';
import { RecordCell } from './record-cell.js';

/** The things of one kind. */
export class Shelf<R extends AnyRecord> {
  readonly #cells = new Map<string, RecordCell<R>>();
  /** Dropped while live; whoever still holds a handle sees them again when they come back. */
  readonly #lost = new Map<string, RecordCell<R>>();
  /** What calls returned since the connection was opened: a snapshot taken before them must not drop them. */
  readonly #fresh = new Set<string>();
  readonly #changed: () => void;
  #listed: readonly R[] | null = null;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Newest first. */
  get listed(): readonly R[] {
    this.#listed ??= [...this.#cells.values()]
      .map((cell) => cell.record)
      .sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
    return this.#listed;
  }

  /** Takes what a call returned, and gives the cell to look at it. */
  put(record: R): RecordCell<R> {
    this.#fresh.add(record.id);
    const cell = this.#set(record, false);
    this.#changed();
    return cell;
  }

  /** What calls return from now on is newer than the snapshot that is asked for now. */
  linkOpened(): void {
    this.#fresh.clear();
  }

  /** Changes, in the order of their `seq`. */
  apply(records: readonly R[]): void {
    for (const record of records) this.#set(record, false);
  }

  /** The whole of this kind; numbers of an earlier epoch count for nothing. */
  replace(records: readonly R[]): void {
    const named = new Set(records.map((record) => record.id));
    for (const id of [...this.#cells.keys()]) {
      if (!named.has(id) && !this.#fresh.has(id)) this.#lose(id);
    }
    for (const record of records) this.#set(record, !this.#fresh.has(record.id));
  }

  remove(id: string): void {
    if (this.#cells.delete(id)) this.#listed = null;
  }

  /** An older state of a thing never replaces a newer one, unless forced. */
  #set(record: R, force: boolean): RecordCell<R> {
    const cell = this.#cells.get(record.id) ?? this.#lost.get(record.id);
    if (cell && !force && !cell.record.contact.lost && record.seq < cell.record.seq) return cell;
    this.#listed = null;
    const kept = cell ?? new RecordCell(record);
    this.#cells.set(record.id, kept);
    this.#lost.delete(record.id);
    if (cell) cell.update(record);
    return kept;
  }

  /** What a whole picture does not name has lost contact; its absence says nothing about its state. */
  #lose(id: string): void {
    const cell = this.#cells.get(id);
    this.remove(id);
    if (!cell || isFinal(cell.record)) return;
    cell.update({ ...cell.record, contact: { lost: true, since: new Date().toISOString() } });
    this.#lost.set(id, cell);
  }
}
