import { type FileHandle, open } from 'node:fs/promises';
import { PilothouseError } from '@pilothouse/sdk/internal';
import type { z } from 'zod';
import { isMissing } from '../missing.js';

const CHUNK = 1024 * 1024;

/** One whole line of a file. */
export interface Line<T> {
  readonly value: T;
  /** Byte offset after it, newline included. */
  readonly end: number;
}

/**
 * Reads the records of a JSON Lines file from a byte offset on, a megabyte at a time.
 *
 * A last line without its newline was torn by a crash, or is being written: it is left out, since nobody was told that
 * it is there. A line elsewhere that is no record stops the reading, because what follows it may build on it.
 *
 * @throws PilothouseError LOG_DAMAGED naming file and line
 */
export async function* readRecords<S extends z.ZodType>(
  path: string,
  schema: S,
  from = 0,
): AsyncGenerator<Line<z.output<S>>[], void, void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  try {
    let rest = Buffer.alloc(0);
    let position = from;
    let offset = from;
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const data = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const lines: Line<z.output<S>>[] = [];
      let start = 0;
      for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, start)) {
        const text = data.toString('utf8', start, end);
        offset += end + 1 - start;
        start = end + 1;
        lines.push({ value: await parse(schema, text, path, offset), end: offset });
      }
      rest = data.subarray(start);
      if (lines.length > 0) yield lines;
    }
  } finally {
    await handle.close();
  }
}

async function parse<S extends z.ZodType>(schema: S, text: string, path: string, end: number): Promise<z.output<S>> {
  let cause: unknown;
  try {
    const result = schema.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    cause = result.error;
  } catch (error) {
    cause = error;
  }
  const line = await countLines(path, end);
  throw new PilothouseError('LOG_DAMAGED', `${path}, line ${line}, is not a record`, {
    hint: `Look at line ${line} of ${path}: repair it or move the file away, then start again.`,
    field: `${path}:${line}`,
    cause,
  });
}

async function countLines(path: string, end: number): Promise<number> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    let count = 0;
    for (let position = 0; position < end; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK, end - position), position);
      if (bytesRead === 0) break;
      for (const byte of buffer.subarray(0, bytesRead)) if (byte === 10) count += 1;
      position += bytesRead;
    }
    return count;
  } finally {
    await handle.close();
  }
}
