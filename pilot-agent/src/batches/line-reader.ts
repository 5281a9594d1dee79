import type { FileHandle } from 'node:fs/promises';
import { PilothouseError } from '@pilothouse/sdk/shared';

/** One line of a file. */
export interface TextLine {
  /** 0, 1, 2 … */
  readonly number: number;
  readonly text: string;
  /** Bytes from the beginning of the file to the first of the next line. */
  readonly end: number;
}

const PIECE = 256 * 1024;
const LONGEST = 64 * 1024 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * Reads a file line by line, in groups, so that a file of any size takes no more memory than one piece of it.
 *
 * @param torn - called with what follows the last newline, where anything does; without it that counts as a line
 * @throws PilothouseError FILE_TOO_LARGE for a line of more than 64 MiB
 */
export async function* readLines(file: FileHandle, path: string, torn?: () => void): AsyncGenerator<TextLine[]> {
  let rest = Buffer.alloc(0);
  let position = 0;
  let end = 0;
  let number = 0;
  const piece = Buffer.allocUnsafe(PIECE);
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, PIECE, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const data = rest.length === 0 ? piece.subarray(0, bytesRead) : Buffer.concat([rest, piece.subarray(0, bytesRead)]);
    const lines: TextLine[] = [];
    let start = 0;
    for (let stop = data.indexOf(NEWLINE); stop >= 0; stop = data.indexOf(NEWLINE, start)) {
      end += stop + 1 - start;
      lines.push({ number, text: textOf(data, start, stop, number), end });
      number += 1;
      start = stop + 1;
    }
    // Copied: `piece` is written again by the next read.
    rest = Buffer.from(data.subarray(start));
    if (rest.length > LONGEST) throw tooLong(path, number);
    if (lines.length > 0) yield lines;
  }
  if (rest.length === 0) return;
  if (torn) torn();
  else yield [{ number, text: textOf(rest, 0, rest.length, number), end: end + rest.length }];
}

function textOf(data: Buffer, start: number, stop: number, number: number): string {
  const last = stop > start && data[stop - 1] === RETURN ? stop - 1 : stop;
  const text = data.toString('utf8', start, last);
  return number === 0 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

function tooLong(path: string, number: number): PilothouseError {
  return new PilothouseError('FILE_TOO_LARGE', `${path}, line ${number + 1}, is longer than 64 MiB`, {
    hint: 'Write one input per line.',
    evidence: `${path}:${number + 1}`,
  });
}
