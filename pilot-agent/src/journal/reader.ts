import { type FileHandle, open } from 'node:fs/promises';
import { journalFiles } from './replay.js';

/** Consecutive records, as the lines they are written as. */
export interface Written {
  readonly lines: readonly string[];
  /** Number of the last of them; where there are none, the number that was asked for. */
  readonly last: number;
}

const PIECE_BYTES = 1 << 20;
const NEWLINE = 0x0a;

/**
 * Reads records that are no longer in memory from the files, oldest first. It goes on where it last stopped, so that a
 * bridge that comes late to a long journal costs one reading of it.
 */
export class JournalReader {
  readonly #folder: string;
  /** Where the record after `seq` begins, or something before it. */
  #place = { seq: 0, epoch: 0, offset: 0 };

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Records after one number up to another, at most so many. */
  async read(after: number, upTo: number, limit: number): Promise<Written> {
    if (after < this.#place.seq) this.#place = { seq: 0, epoch: 0, offset: 0 };
    const found: string[] = [];
    let last = after;
    for (const { epoch, path } of await journalFiles(this.#folder)) {
      if (epoch < this.#place.epoch) continue;
      if (epoch > this.#place.epoch) this.#place = { ...this.#place, epoch, offset: 0 };
      const file = await open(path, 'r');
      try {
        while (found.length < limit && last < upTo) {
          const lines = await this.#readPiece(file);
          if (lines.length === 0) break;
          for (const line of lines) {
            const seq = seqOf(line);
            if (seq > upTo || found.length >= limit) break;
            this.#place = { epoch, seq, offset: this.#place.offset + Buffer.byteLength(line) + 1 };
            if (seq <= after) continue;
            found.push(line);
            last = seq;
          }
        }
      } finally {
        await file.close();
      }
      if (found.length >= limit || last >= upTo) break;
    }
    return { lines: found, last };
  }

  /** The whole lines that follow the place. */
  async #readPiece(file: FileHandle): Promise<string[]> {
    for (let length = PIECE_BYTES; ; length *= 2) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, this.#place.offset);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE);
      if (end >= 0) return buffer.toString('utf8', 0, end).split('\n');
      // A line longer than the piece; or the torn end of the file.
      if (bytesRead < length) return [];
    }
  }
}

/** The number of a record, which comes first in its line. */
function seqOf(line: string): number {
  const known = /^\{"seq":(\d+),/.exec(line)?.[1];
  return known === undefined ? Number(JSON.parse(line).seq) : Number(known);
}
