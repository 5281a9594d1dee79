import type {
  AnswerRecord,
  AnyRecord,
  PilotRecord,
  RecordKind,
  ServiceRecord,
  TaskRecord,
} from '@pilothouse/sdk/internal';

/** The record of each kind. */
export interface Records {
  pilot: PilotRecord;
  task: TaskRecord;
  service: ServiceRecord;
  answer: AnswerRecord;
}

type Maps = { readonly [K in RecordKind]: Map<string, Records[K]> };

/** Something changed or went away. */
export interface Change {
  readonly kind: RecordKind;
  readonly id: string;
  readonly seq: number;
}

/** How many removals are remembered for watchers that come back. */
const REMEMBERED_REMOVALS = 10_000;

/**
 * Everything the bridge knows at the moment: one record per thing, each with the number of its last change. Records are
 * never changed in place, so whoever holds one may keep it.
 */
export class Picture {
  readonly #maps: Maps = { pilot: new Map(), task: new Map(), service: new Map(), answer: new Map() };
  readonly #onPilot = { task: new Map<string, Set<string>>(), service: new Map<string, Set<string>>() };
  readonly #removals = new Map<string, Change>();
  readonly #listeners = new Set<(change: Change) => void>();
  #seq = 0;
  #floor = 0;

  /** Number of the latest change. */
  get seq(): number {
    return this.#seq;
  }

  /** Changes up to this number can no longer be told one by one: removals before it are forgotten. */
  get floor(): number {
    return this.#floor;
  }

  get<K extends RecordKind>(kind: K, id: string): Records[K] | undefined {
    return this.#maps[kind].get(id);
  }

  /** All of one kind, oldest first. */
  list<K extends RecordKind>(kind: K): IterableIterator<Records[K]> {
    return this.#maps[kind].values();
  }

  count(kind: RecordKind): number {
    return this.#maps[kind].size;
  }

  /** Ids of the tasks or services bound to a pilot. */
  on(pilot: string, kind: 'task' | 'service'): ReadonlySet<string> {
    return this.#onPilot[kind].get(pilot) ?? new Set();
  }

  /** Puts a record in place of the one with its id; its `seq` is given here. */
  put<K extends RecordKind>(kind: K, record: Records[K]): Records[K] {
    this.#seq += 1;
    const numbered: Records[K] = { ...record, seq: this.#seq };
    this.#maps[kind].set(record.id, numbered);
    this.#index(numbered);
    this.#removals.delete(record.id);
    this.#tell({ kind, id: record.id, seq: this.#seq });
    return numbered;
  }

  /** Changes some fields of a record; nothing happens when it is not there or when `change` returns null. */
  update<K extends RecordKind>(
    kind: K,
    id: string,
    change: (record: Records[K]) => Partial<Records[K]> | null,
  ): Records[K] | undefined {
    const record = this.get(kind, id);
    if (record === undefined) return undefined;
    const fields = change(record);
    return fields === null ? record : this.put(kind, { ...record, ...fields });
  }

  remove(kind: RecordKind, id: string): void {
    const record = this.#maps[kind].get(id);
    if (record === undefined) return;
    this.#maps[kind].delete(id);
    if ((record.kind === 'task' || record.kind === 'service') && record.pilot !== null) {
      this.#onPilot[record.kind].get(record.pilot)?.delete(id);
    }
    this.#seq += 1;
    const change = { kind, id, seq: this.#seq };
    this.#removals.set(id, change);
    for (const [old, { seq }] of this.#removals) {
      if (this.#removals.size <= REMEMBERED_REMOVALS) break;
      this.#removals.delete(old);
      this.#floor = seq;
    }
    this.#tell(change);
  }

  /** Every change after a number, the oldest first; each thing once, with its last change. */
  changesAfter(seq: number): Change[] {
    const changes: Change[] = [];
    for (const kind of ['pilot', 'task', 'service', 'answer'] as const) {
      for (const record of this.#maps[kind].values()) {
        if (record.seq > seq) changes.push({ kind, id: record.id, seq: record.seq });
      }
    }
    for (const change of this.#removals.values()) if (change.seq > seq) changes.push(change);
    return changes.sort((a, b) => a.seq - b.seq);
  }

  /** Calls back on every change, at once; returns the way to stop. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  #index(record: AnyRecord): void {
    if ((record.kind !== 'task' && record.kind !== 'service') || record.pilot === null) return;
    const { kind, pilot, id } = record;
    const ids = this.#onPilot[kind].get(pilot);
    if (ids === undefined) this.#onPilot[kind].set(pilot, new Set([id]));
    else ids.add(id);
  }
}
