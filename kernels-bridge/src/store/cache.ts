import { rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type AnyRecord, anyRecordSchema, recordKindSchema } from '@pilothouse/sdk/internal';
import { z } from 'zod';
import type { Keyed } from '../picture/keys.js';
import { TASK_TABLES, TaskCache } from './task-cache.js';

/** Raised when what is stored changes its meaning; an older cache is then thrown away. */
const LAYOUT = 3;
/** Rows of one transaction: it blocks the loop as long as it lasts. */
export const ROWS_PER_TRANSACTION = 200;
const ROWS_PER_PAGE = 2000;

const rowSchema = z.object({ rowid: z.number(), json: z.string() });
const keyRowSchema = z.object({ rowid: z.number(), key: z.string(), kind: recordKindSchema, id: z.string() });
const metaRowSchema = z.object({ value: z.string() });

/** Another process of this host holds the cache, and with it the runtime dir. */
export class CacheLocked extends Error {}

/**
 * The picture on local disk, so that a start need not read all logs. It can be thrown away at any moment. Held
 * exclusively from open to close, it is also the lock that lets one bridge own a runtime dir.
 */
export class Cache {
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeKeys: StatementSync;
  readonly #putKey: StatementSync;
  readonly #putMeta: StatementSync;

  /** Tasks and their sets. */
  readonly tasks: TaskCache;

  private constructor(private readonly database: DatabaseSync) {
    this.tasks = new TaskCache(database);
    this.#put = database.prepare('INSERT OR REPLACE INTO records (id, json) VALUES (?, ?)');
    this.#remove = database.prepare('DELETE FROM records WHERE id = ?');
    this.#removeKeys = database.prepare('DELETE FROM keys WHERE id = ?');
    this.#putKey = database.prepare('INSERT OR REPLACE INTO keys (key, kind, id) VALUES (?, ?, ?)');
    this.#putMeta = database.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
  }

  /**
   * Opens and locks the cache; a damaged one is replaced by an empty one.
   *
   * @throws CacheLocked when another process has it
   */
  static open(path: string): Cache {
    try {
      return Cache.#tryOpen(path);
    } catch (error) {
      if (isLocked(error)) throw new CacheLocked('another bridge holds this runtime dir', { cause: error });
      // Anything else says that the file is no good; what it held is in the logs.
      for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
      return Cache.#tryOpen(path);
    }
  }

  static #tryOpen(path: string): Cache {
    const database = new DatabaseSync(path);
    try {
      // Exclusive before WAL: then no shared memory file is made, and a second opener is refused.
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      database.exec('BEGIN EXCLUSIVE; COMMIT');
      const layout = z.object({ user_version: z.number() }).parse(database.prepare('PRAGMA user_version').get());
      if (layout.user_version !== LAYOUT) {
        database.exec('DROP TABLE IF EXISTS records; DROP TABLE IF EXISTS keys; DROP TABLE IF EXISTS meta');
        database.exec(
          'DROP TABLE IF EXISTS task_chunks; DROP TABLE IF EXISTS task_texts; DROP TABLE IF EXISTS task_shared',
        );
      }
      database.exec(`
        CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, json TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL);
        CREATE INDEX IF NOT EXISTS keys_by_id ON keys (id);
        CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
        ${TASK_TABLES}
        PRAGMA user_version = ${LAYOUT};
      `);
      return new Cache(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Every record, a page at a time. */
  *records(): Generator<AnyRecord[], void, void> {
    const page = this.database.prepare('SELECT rowid, json FROM records WHERE rowid > ? ORDER BY rowid LIMIT ?');
    for (let after = 0; ; ) {
      const rows = page.all(after, ROWS_PER_PAGE).map((row) => rowSchema.parse(row));
      if (rows.length === 0) return;
      after = rows.at(-1)?.rowid ?? after;
      yield rows.map(({ json }) => anyRecordSchema.parse(JSON.parse(json)));
    }
  }

  *keys(): Generator<[string, Keyed][], void, void> {
    const page = this.database.prepare('SELECT rowid, key, kind, id FROM keys WHERE rowid > ? ORDER BY rowid LIMIT ?');
    for (let after = 0; ; ) {
      const rows = page.all(after, ROWS_PER_PAGE).map((row) => keyRowSchema.parse(row));
      if (rows.length === 0) return;
      after = rows.at(-1)?.rowid ?? after;
      yield rows.map(({ key, kind, id }) => [key, { kind, id }]);
    }
  }

  /** A stored text; undefined when there is none. */
  meta(name: string): string | undefined {
    const row = this.database.prepare('SELECT value FROM meta WHERE name = ?').get(name);
    return row === undefined ? undefined : metaRowSchema.parse(row).value;
  }

  /** Writes at most {@link ROWS_PER_TRANSACTION} changes at once. */
  write(changes: {
    readonly put?: readonly AnyRecord[];
    readonly remove?: readonly string[];
    readonly keys?: readonly (readonly [string, Keyed])[];
    readonly meta?: readonly (readonly [string, string])[];
    readonly tasks?: (cached: TaskCache) => void;
  }): void {
    this.database.exec('BEGIN');
    try {
      for (const record of changes.put ?? []) this.#put.run(record.id, JSON.stringify(record));
      for (const id of changes.remove ?? []) {
        this.#remove.run(id);
        this.#removeKeys.run(id);
      }
      for (const [key, { kind, id }] of changes.keys ?? []) this.#putKey.run(key, kind, id);
      for (const [name, value] of changes.meta ?? []) this.#putMeta.run(name, value);
      changes.tasks?.(this.tasks);
      this.database.exec('COMMIT');
    } catch (error) {
      this.database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Empties it, to be filled from the logs again. */
  clear(): void {
    this.database.exec('DELETE FROM records; DELETE FROM keys; DELETE FROM meta');
    this.tasks.clear();
  }

  close(): void {
    this.database.close();
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && /database is locked/.test(error.message);
}
