import { type FileHandle, open } from 'node:fs/promises';
import { PilothouseError } from '@pilothouse/sdk/internal';
import { isMissing } from '../missing.js';

const CHUNK = 1024 * 1024;

/** One whole line of a file. */
export interface Line<T> {
  readonly value: T;
  /** Byte offset after it, newline included. */
  readonly end: number;
}

/** What tells a record from anything else: a zod schema, or something faster. */
export interface RecordParser<T> {
  safeParse(
    value: unknown,
  ): { readonly success: true; readonly data: T } | { readonly success: false; readonly error?: unknown };
}

/**
 * Reads the records of a JSON Lines file from a byte offset on, a megabyte at a time.
 *
 * A last line without its newline was torn by a crash, or is being written: it is left out, since nobody was told that
 * it is there. A line elsewhere that is no record stops the reading, because what follows it may build on it.
 *
 * @throws PilothouseError LOG_DAMAGED naming file and line
 */
export async function* readRecords<T>(
  path: string,
  parser: RecordParser<T>,
  from = 0,
): AsyncGenerator<Line<T>[], void, void> {
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
      const lines: Line<T>[] = [];
      let start = 0;
      for (let end = data.indexOf(10); end !== -1; end = data.indexOf(10, start)) {
        const text = data.toString('utf8', start, end);
        offset += end + 1 - start;
        start = end + 1;
        const parsed = parse(parser, text);
        if (!('value' in parsed)) throw await damaged(path, offset, parsed.cause);
        lines.push({ value: parsed.value, end: offset });
      }
      rest = data.subarray(start);
      if (lines.length > 0) yield lines;
    }
  } finally {
    await handle.close();
  }
}

function parse<T>(parser: RecordParser<T>, text: string): { readonly value: T } | { readonly cause: unknown } {
  try {
    const result = parser.safeParse(JSON.parse(text));
    return result.success ? { value: result.data } : { cause: result.error };
  } catch (cause) {
    return { cause };
  }
}

async function damaged(path: string, end: number, cause: unknown): Promise<PilothouseError> {
  const line = await countLines(path, end);
  return new PilothouseError('LOG_DAMAGED', `${path}, line ${line}, is not a record`, {
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
