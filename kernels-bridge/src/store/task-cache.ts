import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import {
  type CachedArena,
  type CachedChunk,
  type CachedSet,
  type CachedShared,
  parseSets,
  parseShared,
} from '../picture/tasks/table-cache.js';

const blob = z.instanceof(Uint8Array);
const chunkRowSchema = z.object({ id: z.number(), bytes: blob, rest: z.string() });
const arenaRowSchema = z.object({ id: z.number(), bytes: blob, texts: z.number() });
const textRowSchema = z.object({ json: z.string() });

export const TASK_TABLES = `
  CREATE TABLE IF NOT EXISTS task_chunks (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL, rest TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS task_texts (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL, texts INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS task_shared (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
`;

/** Row of what tasks share, and of the sets. */
const SHARED = 1;
const SETS = 2;

/** The table of tasks in the cache: a chunk is a row, however many tasks are in it. */
export class TaskCache {
  readonly #putChunk: StatementSync;
  readonly #putArena: StatementSync;
  readonly #dropArena: StatementSync;
  readonly #putShared: StatementSync;

  constructor(private readonly database: DatabaseSync) {
    this.#putChunk = database.prepare('INSERT OR REPLACE INTO task_chunks (id, bytes, rest) VALUES (?, ?, ?)');
    this.#putArena = database.prepare('INSERT OR REPLACE INTO task_texts (id, bytes, texts) VALUES (?, ?, ?)');
    this.#dropArena = database.prepare('DELETE FROM task_texts WHERE id = ?');
    this.#putShared = database.prepare('INSERT OR REPLACE INTO task_shared (id, json) VALUES (?, ?)');
  }

  putChunk({ index, bytes, rest }: CachedChunk): void {
    this.#putChunk.run(index, bytes, rest);
  }

  putArena({ id, bytes, texts }: CachedArena): void {
    this.#putArena.run(id, bytes, texts);
  }

  dropArena(id: number): void {
    this.#dropArena.run(id);
  }

  putShared(shared: CachedShared): void {
    this.#putShared.run(SHARED, JSON.stringify(shared));
  }

  putSets(sets: readonly CachedSet[]): void {
    this.#putShared.run(SETS, JSON.stringify(sets));
  }

  shared(): CachedShared | null {
    const text = this.#text(SHARED);
    return text === null ? null : parseShared(text);
  }

  sets(): CachedSet[] {
    return parseSets(this.#text(SETS) ?? '[]');
  }

  *chunks(): Generator<CachedChunk, void, void> {
    for (const row of this.database.prepare('SELECT id, bytes, rest FROM task_chunks ORDER BY id').iterate()) {
      const { id, bytes, rest } = chunkRowSchema.parse(row);
      yield { index: id, bytes, rest };
    }
  }

  *arenas(): Generator<CachedArena, void, void> {
    for (const row of this.database.prepare('SELECT id, bytes, texts FROM task_texts ORDER BY id').iterate()) {
      yield arenaRowSchema.parse(row);
    }
  }

  clear(): void {
    this.database.exec('DELETE FROM task_chunks; DELETE FROM task_texts; DELETE FROM task_shared');
  }

  #text(id: number): string | null {
    const row = this.database.prepare('SELECT json FROM task_shared WHERE id = ?').get(id);
    return row === undefined ? null : textRowSchema.parse(row).json;
  }
}
