import { isFinal } from '../client/picture/final.js';
import type { WatchBatch } from '../contract/index.js';
import { PilothouseError } from '../errors/index.js';
import type { AnswerRecord, AnyRecord, Chunk, ChunkBatch, RecordKind, TaskRecord } from '../schemas/index.js';

const notFound = {
  pilot: 'PILOT_NOT_FOUND',
  task: 'TASK_NOT_FOUND',
  set: 'TASK_SET_NOT_FOUND',
  service: 'SERVICE_NOT_FOUND',
  answer: 'ANSWER_NOT_FOUND',
  batch: 'BATCH_NOT_FOUND',
} as const;

/** Records, texts and who watches them: what a bridge knows, without processes and files. */
export class MemoryBridge {
  readonly #records = new Map<string, AnyRecord>();
  /** Tasks of sets, which are no part of the picture. */
  readonly #members = new Map<string, TaskRecord>();
  readonly #chunks = new Map<string, Chunk[]>();
  readonly #keys = new Map<string, string>();
  readonly #sleepers = new Set<() => void>();
  readonly #removed: { readonly id: string; readonly seq: number }[] = [];
  readonly #moved = new Set<(after: AnyRecord, before: AnyRecord) => void>();
  #seq = 0;

  constructor(records: Iterable<AnyRecord> = []) {
    for (const record of records) this.put(record);
  }

  /** Calls back on each change of state, after it. */
  onMoved(callback: (after: AnyRecord, before: AnyRecord) => void): void {
    this.#moved.add(callback);
  }

  /** Adds or changes a record; whoever watches is told. */
  put<R extends AnyRecord>(record: R): R {
    this.#seq += 1;
    const stored = { ...record, seq: this.#seq };
    if (stored.kind === 'task' && stored.set !== null) this.#members.set(stored.id, stored);
    else this.#records.set(stored.id, stored);
    this.wake();
    return stored;
  }

  /** Moves a thing to another state, as the bridge would note it. What has ended stays as it is. */
  move(id: string, state: string, changes: object = {}): void {
    const record = this.#records.get(id) ?? this.#members.get(id);
    if (!record || record.state === state || isFinal(record)) return;
    const now = new Date().toISOString();
    const moved = { ...record, state, since: now, times: { ...record.times, [state]: now }, ...changes };
    if (!sameKind(record, moved)) return;
    const after = this.put(isFinal(moved) ? { ...moved, endedAt: now } : moved);
    for (const callback of this.#moved) callback(after, record);
  }

  remove(id: string): void {
    this.#seq += 1;
    this.#records.delete(id);
    this.#members.delete(id);
    this.#removed.push({ id, seq: this.#seq });
    this.wake();
  }

  /** By id, by name of a live one, or by name. */
  find<K extends RecordKind>(kind: K, ref: string): Extract<AnyRecord, { kind: K }> {
    const isOfKind = (record: AnyRecord): record is Extract<AnyRecord, { kind: K }> => record.kind === kind;
    const exact = this.#records.get(ref) ?? this.#members.get(ref);
    if (exact && isOfKind(exact)) return exact;
    const named = this.list(kind, true).filter(({ name }) => name === ref);
    const found = named.find((record) => !isFinal(record)) ?? named[0];
    if (found) return found;
    throw new PilothouseError(notFound[kind], `There is no ${kind === 'set' ? 'task set' : kind} "${ref}".`, {
      hint:
        kind === 'set'
          ? 'Look at session.tasks.sets().'
          : `Look at session.${kind === 'batch' ? 'batche' : kind}s.list() for what there is.`,
    });
  }

  /** Tasks of sets are left out. */
  list<K extends RecordKind>(kind: K, all: boolean): Extract<AnyRecord, { kind: K }>[] {
    const isOfKind = (record: AnyRecord): record is Extract<AnyRecord, { kind: K }> => record.kind === kind;
    return [...this.#records.values()].filter(isOfKind).filter((record) => all || !isFinal(record));
  }

  /** All tasks there are, those of sets too. */
  tasks(): TaskRecord[] {
    return [...this.list('task', true), ...this.#members.values()];
  }

  /** The thing submitted with that key before, or the one that `make` makes now. */
  once<R extends AnyRecord>(key: string, make: () => R): R {
    const id = this.#keys.get(key);
    const known = id === undefined ? undefined : this.#records.get(id);
    if (known) return { ...make(), ...known };
    const made = this.put(make());
    this.#keys.set(key, made.id);
    return made;
  }

  /** @param data - what is said where that is not text */
  say(id: string, text: string, data?: unknown): void {
    const chunks = this.#chunks.get(id) ?? [];
    chunks.push({ text, at: chunks.length, ...(data === undefined ? {} : { data }) });
    this.#chunks.set(id, chunks);
    const answer = this.find('answer', id);
    this.put({ ...answer, chunks: chunks.length });
  }

  text(id: string): string {
    return (this.#chunks.get(id) ?? []).map((chunk) => chunk.text).join('');
  }

  async *watch(
    { after, ids }: { readonly after?: number | undefined; readonly ids?: readonly string[] | undefined },
    signal: AbortSignal | undefined,
  ): AsyncGenerator<WatchBatch, void, void> {
    let seen = after ?? 0;
    let reset = after === undefined;
    for (;;) {
      signal?.throwIfAborted();
      const looked = ids ? ids.flatMap((id) => this.#records.get(id) ?? this.#members.get(id) ?? []) : null;
      const changed = (looked ?? [...this.#records.values()]).filter((record) => record.seq > seen);
      const removed = this.#removed.filter(({ id, seq }) => seq > seen && !this.#records.has(id)).map(({ id }) => id);
      if (reset || changed.length > 0 || removed.length > 0) {
        seen = this.#seq;
        yield { epoch: 1, seq: seen, reset, ...byKind(changed), removed: reset ? [] : removed };
        reset = false;
      } else {
        await this.sleep(signal);
      }
    }
  }

  async *follow(id: string, from: number, signal: AbortSignal | undefined): AsyncGenerator<ChunkBatch, void, void> {
    let next = from;
    let told = -1;
    for (;;) {
      signal?.throwIfAborted();
      const answer = this.find('answer', id);
      const chunks = (this.#chunks.get(id) ?? []).slice(next);
      if (chunks.length > 0 || answer.seq > told) {
        const batch = {
          from: next,
          next: next + chunks.length,
          chunks,
          answer: spoken(answer, this.text(id)),
          readAt: null,
        };
        next = batch.next;
        told = answer.seq;
        yield batch;
        if (isFinal(answer)) return;
      } else {
        await this.sleep(signal);
      }
    }
  }

  /** A record as it is sent by itself: an answer that has ended carries its text. */
  spoken(record: AnyRecord): AnyRecord {
    return record.kind === 'answer' ? spoken(record, this.text(record.id)) : record;
  }

  /** Waits for the next change, or for the signal. */
  sleep(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      this.#sleepers.add(wake);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  wake(): void {
    for (const wake of [...this.#sleepers]) wake();
  }
}

function spoken(answer: AnswerRecord, text: string): AnswerRecord {
  return isFinal(answer) ? { ...answer, text } : answer;
}

function sameKind<R extends AnyRecord>(record: R, moved: { readonly kind: string }): moved is R {
  return record.kind === moved.kind;
}

type Sorted = Pick<WatchBatch, 'pilots' | 'tasks' | 'sets' | 'services' | 'answers' | 'batches'>;

function byKind(records: readonly AnyRecord[]): Sorted {
  const sorted: Sorted = { pilots: [], tasks: [], sets: [], services: [], answers: [], batches: [] };
  for (const record of records) {
    if (record.kind === 'pilot') sorted.pilots.push(record);
    else if (record.kind === 'task') sorted.tasks.push(record);
    else if (record.kind === 'set') sorted.sets.push(record);
    else if (record.kind === 'service') sorted.services.push(record);
    else if (record.kind === 'answer') sorted.answers.push(record);
    else sorted.batches.push(record);
  }
  return sorted;
}
