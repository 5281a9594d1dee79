import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AnyRecord, RecordKind } from '@pilothouse/sdk/internal';
import type { Logger } from '../logger.js';
import type { Keys } from '../picture/keys.js';
import type { Change, Picture } from '../picture/picture.js';
import { type Cache, ROWS_PER_TRANSACTION } from './cache.js';
import type { Position } from './position.js';
import type { TaskCache } from './task-cache.js';

/** Milliseconds that changes gather before they are written. */
const GATHER_MS = 1000;
/** Kinds that are cached as records. */
const CACHED: ReadonlySet<RecordKind> = new Set(['pilot', 'service', 'batch']);
/** However much changes, writing it takes at most this share of the time. */
const SHARE = 0.03;

/**
 * Keeps the cache behind the picture by about a second. How far it reaches is written last: a crash in between means
 * that some lines are applied twice, which changes nothing.
 */
export class CacheWriter {
  readonly #changed = new Map<string, Change>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #broken = false;
  /** Milliseconds that the last writing took. */
  #took = 0;
  #setsChanged = false;
  #sharedVersion = -1;
  readonly #stop: () => void;

  /** @param position - how far the picture reaches now; null while it is still being made */
  constructor(
    private readonly cache: Cache,
    private readonly picture: Picture,
    private readonly keys: Keys,
    private readonly position: () => Position | null,
    private readonly log: Logger,
  ) {
    this.#stop = picture.onChange((change) => {
      // Answers have a log of their own, and their text would make the cache large. Tasks are written by chunks.
      if (CACHED.has(change.kind)) this.#changed.set(change.id, change);
      if (change.kind === 'set') this.#setsChanged = true;
      if (change.kind !== 'answer')
        this.#timer ??= setTimeout(() => this.flush(), Math.max(GATHER_MS, this.#took / SHARE)).unref();
    });
  }

  /** Writes what has gathered. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#stop();
    await this.flush();
  }

  async #write(): Promise<void> {
    if (this.#broken) return;
    const start = performance.now();
    const position = this.position();
    const changes = [...this.#changed.values()];
    const keys = this.keys.takeNew().filter(([, { kind }]) => kind !== 'answer');
    this.#changed.clear();
    try {
      for (let start = 0; start < Math.max(changes.length, keys.length); start += ROWS_PER_TRANSACTION) {
        const end = start + ROWS_PER_TRANSACTION;
        this.cache.write({ ...this.#split(changes.slice(start, end)), keys: keys.slice(start, end) });
        await nextTurn();
      }
      await this.#writeTasks();
      if (position !== null) this.cache.write({ meta: [['position', JSON.stringify(position)]] });
    } catch (error) {
      // The logs hold everything: the bridge goes on, and the next start reads them in full.
      this.#broken = true;
      this.log.error('the cache cannot be written; the next start reads the logs instead', error);
      this.#forget();
    }
    this.#took = performance.now() - start;
  }

  /** What has changed of the table of tasks, a chunk at a time: one takes about a millisecond. */
  async #writeTasks(): Promise<void> {
    const { tasks } = this.picture;
    for (const index of [...tasks.dirty]) {
      tasks.dirty.delete(index);
      this.cache.write({ tasks: (cached) => this.#writeChunk(cached, index) });
      await nextTurn();
    }
    this.cache.write({ tasks: (cached) => this.#writeWhatTheyNeed(cached) });
  }

  #writeChunk(cached: TaskCache, index: number): void {
    const chunk = this.picture.tasks.cachedChunk(index);
    if (chunk === undefined) return;
    this.#writeWhatTheyNeed(cached);
    cached.putChunk(chunk);
  }

  /** A chunk never names what is not there: texts, sets and what tasks share go with it. */
  #writeWhatTheyNeed(cached: TaskCache): void {
    const { tasks } = this.picture;
    const { texts } = tasks;
    for (const id of texts.dirty) {
      const arena = texts.arena(id);
      if (arena === undefined) cached.dropArena(id);
      else cached.putArena(arena);
    }
    texts.dirty.clear();
    if (tasks.sharedVersion !== this.#sharedVersion) cached.putShared(tasks.shared);
    this.#sharedVersion = tasks.sharedVersion;
    if (this.#setsChanged) cached.putSets(tasks.cachedSets());
    this.#setsChanged = false;
  }

  #split(changes: readonly Change[]): { put: AnyRecord[]; remove: string[] } {
    const put: AnyRecord[] = [];
    const remove: string[] = [];
    for (const { kind, id } of changes) {
      const record = this.picture.get(kind, id);
      if (record === undefined) remove.push(id);
      else put.push(record);
    }
    return { put, remove };
  }

  #forget(): void {
    try {
      this.cache.clear();
    } catch (error) {
      this.log.error('the cache cannot be emptied either', error);
    }
  }
}
