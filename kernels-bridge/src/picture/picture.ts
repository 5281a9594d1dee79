import type {
  AnswerRecord,
  BatchRecord,
  PilotRecord,
  RecordKind,
  ServiceRecord,
  TaskRecord,
  TaskSetRecord,
} from '@pilothouse/sdk/internal';
import { taskRecord } from './tasks/task-record.js';
import type { LiveSet } from './tasks/task-set-state.js';
import { TaskTable } from './tasks/task-table.js';

/** The record of each kind. */
export interface Records {
  pilot: PilotRecord;
  task: TaskRecord;
  set: TaskSetRecord;
  service: ServiceRecord;
  answer: AnswerRecord;
  batch: BatchRecord;
}

/** Kinds that are kept as records. Tasks and their sets are too many for that; see {@link TaskTable}. */
export type HeldKind = 'pilot' | 'service' | 'answer' | 'batch';

type Maps = { readonly [K in HeldKind]: Map<string, Records[K]> };

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
 * never changed in place, so whoever holds one may keep it; those of tasks and sets are made when they are asked for.
 */
export class Picture {
  readonly tasks: TaskTable;
  readonly #maps: Maps = { pilot: new Map(), service: new Map(), answer: new Map(), batch: new Map() };
  /** Ids of what is bound to each pilot. */
  readonly #on: Readonly<Record<'service' | 'batch', Map<string, Set<string>>>> = {
    service: new Map(),
    batch: new Map(),
  };
  readonly #removals = new Map<string, Change>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #watched = new Map<string, number>();
  readonly #changedSets = new Set<LiveSet>();
  #seq = 0;
  #floor = 0;

  constructor() {
    this.tasks = new TaskTable({
      next: () => {
        this.#seq += 1;
        return this.#seq;
      },
      task: (id, seq) => this.#tell({ kind: 'task', id, seq }),
      set: (set) => {
        if (this.#changedSets.size === 0) queueMicrotask(() => this.#tellSets());
        this.#changedSets.add(set);
      },
      watched: this.#watched,
    });
  }

  /** Number of the latest change. */
  get seq(): number {
    return this.#seq;
  }

  /** Changes up to this number can no longer be told one by one: removals before it are forgotten. */
  get floor(): number {
    return this.#floor;
  }

  get<K extends RecordKind>(kind: K, id: string): Records[K] | undefined;
  get(kind: RecordKind, id: string): Records[RecordKind] | undefined {
    if (kind === 'task') {
      const slot = this.tasks.find(id);
      return slot === undefined ? undefined : this.task(slot);
    }
    if (kind === 'set') return this.tasks.set(id)?.record(Date.now());
    return this.#maps[kind].get(id);
  }

  /** The record of a task by its slot. */
  task(slot: number): TaskRecord {
    return taskRecord(this.tasks, slot, (id) => this.#maps.pilot.get(id));
  }

  has(kind: RecordKind, id: string): boolean {
    if (kind === 'task') return this.tasks.find(id) !== undefined;
    if (kind === 'set') return this.tasks.set(id) !== undefined;
    return this.#maps[kind].has(id);
  }

  /** All of one kind, oldest first; of tasks those that belong to no set. */
  list<K extends RecordKind>(kind: K): IterableIterator<Records[K]>;
  *list(kind: RecordKind): IterableIterator<Records[RecordKind]> {
    if (kind === 'task') for (const slot of this.tasks.singles.values()) yield this.task(slot);
    else if (kind === 'set') for (const set of this.tasks.sets.values()) yield set.record(Date.now());
    else yield* this.#maps[kind].values();
  }

  count(kind: RecordKind): number {
    if (kind === 'task') return this.tasks.count;
    return kind === 'set' ? this.tasks.sets.size : this.#maps[kind].size;
  }

  /** Ids of the services bound to a pilot. */
  servicesOn(pilot: string): ReadonlySet<string> {
    return this.#on.service.get(pilot) ?? new Set();
  }

  /** Ids of the batches that run on a pilot. */
  batchesOn(pilot: string): ReadonlySet<string> {
    return this.#on.batch.get(pilot) ?? new Set();
  }

  /** Puts a record in place of the one with its id; its `seq` is given here. */
  put<K extends HeldKind>(kind: K, record: Records[K]): Records[K] {
    this.#seq += 1;
    const numbered: Records[K] = { ...record, seq: this.#seq };
    this.#maps[kind].set(record.id, numbered);
    if (numbered.kind === 'service' || numbered.kind === 'batch') this.#index(numbered);
    this.#removals.delete(record.id);
    this.#tell({ kind, id: record.id, seq: this.#seq });
    return numbered;
  }

  /** Changes some fields of a record; nothing happens when it is not there or when `change` returns null. */
  update<K extends HeldKind>(
    kind: K,
    id: string,
    change: (record: Records[K]) => Partial<Records[K]> | null,
  ): Records[K] | undefined {
    const record = this.#maps[kind].get(id);
    if (record === undefined) return undefined;
    const fields = change(record);
    return fields === null ? record : this.put(kind, { ...record, ...fields });
  }

  remove(kind: RecordKind, id: string): void {
    if (!this.has(kind, id)) return;
    if (kind === 'task') this.tasks.removeSingle(id);
    else if (kind === 'set') this.tasks.removeSet(id);
    else {
      const record = this.#maps[kind].get(id);
      if (record?.kind === 'service' || record?.kind === 'batch')
        this.#on[record.kind].get(record.pilot ?? '')?.delete(id);
      if (kind === 'pilot') this.tasks.timelines.forget(id);
      this.#maps[kind].delete(id);
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

  /**
   * Every change after a number, the oldest first; each thing once, with its last change.
   *
   * @param ids - of tasks of sets that are wanted too
   */
  changesAfter(seq: number, ids: Iterable<string> = []): Change[] {
    this.#tellSets();
    const changes: Change[] = [];
    for (const kind of ['pilot', 'service', 'answer', 'batch'] as const) {
      for (const record of this.#maps[kind].values()) {
        if (record.seq > seq) changes.push({ kind, id: record.id, seq: record.seq });
      }
    }
    for (const set of this.tasks.sets.values()) {
      if (set.seq > seq) changes.push({ kind: 'set', id: set.id, seq: set.seq });
    }
    const add = (id: string, slot: number): void => {
      const changed = this.tasks.seqOf(slot);
      if (changed > seq) changes.push({ kind: 'task', id, seq: changed });
    };
    for (const [id, slot] of this.tasks.singles) add(id, slot);
    for (const id of ids) {
      const slot = id.includes('.') ? this.tasks.find(id) : undefined;
      if (slot !== undefined) add(id, slot);
    }
    for (const change of this.#removals.values()) if (change.seq > seq) changes.push(change);
    return changes.sort((a, b) => a.seq - b.seq);
  }

  /** Calls back on every change, at once (of sets, soon); returns the way to stop. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Has changes of these things told although they are tasks of a set; returns the way to stop. */
  alsoTell(ids: Iterable<string>): () => void {
    const wanted = [...ids];
    for (const id of wanted) this.#watched.set(id, (this.#watched.get(id) ?? 0) + 1);
    return () => {
      for (const id of wanted) {
        const left = (this.#watched.get(id) ?? 0) - 1;
        if (left > 0) this.#watched.set(id, left);
        else this.#watched.delete(id);
      }
    };
  }

  #tellSets(): void {
    for (const set of this.#changedSets) {
      this.#changedSets.delete(set);
      this.#seq += 1;
      set.seq = this.#seq;
      set.tell();
      if (this.tasks.set(set.id) === set) this.#tell({ kind: 'set', id: set.id, seq: set.seq });
    }
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  #index({ kind, pilot, id }: ServiceRecord | BatchRecord): void {
    if (pilot === null) return;
    const ids = this.#on[kind].get(pilot);
    if (ids === undefined) this.#on[kind].set(pilot, new Set([id]));
    else ids.add(id);
  }
}
