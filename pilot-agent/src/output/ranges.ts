import { open, stat } from 'node:fs/promises';
import type { LogChunk } from '@pilothouse/sdk/shared';

/** Bytes that are kept of the beginning and of the end of an output; what is between is left out. */
export const KEEP = [8 << 20, 56 << 20] as const;
const [HEAD, TAIL] = KEEP;

/** Where the part of an output that is left out begins and ends; undefined: nothing is. */
export function leftOut(size: number): { readonly from: number; readonly to: number } | undefined {
  return size > HEAD + TAIL ? { from: HEAD, to: size - TAIL } : undefined;
}

/** The line that stands in place of what was left out. */
export function leftOutLine(bytes: number): string {
  return `\n[Pilothouse: ${bytes} bytes left out here; a task keeps the first ${HEAD >> 20} MiB and the last ${TAIL >> 20} MiB of each output]\n`;
}

/** Reads a piece of a live output. */
export async function readLive(path: string, size: number, offset: number, limit: number): Promise<LogChunk> {
  const from = startOf(offset, size);
  const hole = leftOut(size);
  if (hole !== undefined && from >= hole.from && from < hole.to) {
    return { text: leftOutLine(hole.to - from), offset: from, next: hole.to, size, complete: false };
  }
  const end = hole !== undefined && from < hole.from ? hole.from : size;
  return chunk(await readRange(path, from, Math.min(limit, end - from)), from, size, false);
}

/** Where reading starts: never past the end; a negative offset counts from there. */
export function startOf(offset: number, size: number): number {
  return offset < 0 ? Math.max(0, size + offset) : Math.min(offset, size);
}

export function chunk(bytes: Buffer, offset: number, size: number, packed: boolean): LogChunk {
  const atEnd = offset + bytes.length >= size;
  // A character that is cut here comes whole with the next piece.
  const whole = atEnd && packed ? bytes : bytes.subarray(0, wholeCharacters(bytes));
  const used = whole.length > 0 ? whole : bytes;
  const next = offset + used.length;
  return { text: used.toString('utf8'), offset, next, size, complete: packed && next >= size };
}

export async function readRange(path: string, offset: number, length: number): Promise<Buffer> {
  if (length <= 0) return Buffer.alloc(0);
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Bytes in a file; undefined: there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Bytes up to the end of the last whole UTF-8 character. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
