import { mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/internal';
import { whereMissing } from '../../missing.js';
import { Sequence } from '../once.js';

/** Days that the inputs of lists stay: the same list again then need not be sent again. */
const DAYS = 7;
const DAY_MS = 24 * 3600 * 1000;
const NEWLINE = 0x0a;
const PIECE = 1024 * 1024;

/** What is known of the file of one upload. */
interface Known {
  /** Whole rows in it. */
  rows: number;
  /** Bytes that they take. */
  bytes: number;
}

/**
 * Inputs that clients send as lists: `uploads/<id>.jsonl` in the state root, one row a line. Sending a piece again adds
 * nothing, since each says at which row it begins.
 */
export class Uploads {
  readonly #folder: string;
  readonly #known = new Map<string, Known>();
  readonly #turns = new Sequence();

  /** @param home - the state root */
  constructor(home: string) {
    this.#folder = join(home, 'uploads');
  }

  /** Where the rows of an upload lie. */
  path(id: string): string {
    return join(this.#folder, `${id}.jsonl`);
  }

  /** How many rows there are; 0: none has been sent. */
  async count(id: string): Promise<number> {
    return (await this.#look(id)).rows;
  }

  /**
   * Takes rows, the first of which has this number; on the disk when it resolves.
   *
   * @returns how many there are now
   * @throws PilothouseError INVALID_DESCRIPTION where rows before these are missing; STATE_UNREACHABLE
   */
  add(id: string, from: number, rows: readonly unknown[]): Promise<number> {
    return this.#turns.run(id, async () => {
      const known = await this.#look(id);
      if (from > known.rows) {
        throw new PilothouseError('INVALID_DESCRIPTION', `row ${known.rows} is the next of ${id}, not ${from}`, {
          hint: 'Send the rows in their order.',
          field: 'from',
        });
      }
      const fresh = rows.slice(known.rows - from);
      if (fresh.length > 0) await this.#write(id, known, fresh);
      return known.rows;
    });
  }

  /** Removes what has not been used for a week; those in use stay. */
  async tidy(used: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#folder).catch(whereMissing<string[]>([]))) {
      const id = name.replace(/\.jsonl$/, '');
      const path = join(this.#folder, name);
      const found = await stat(path).catch(whereMissing(undefined));
      if (found === undefined || used.has(id) || Date.now() - found.mtimeMs < DAYS * DAY_MS) continue;
      this.#known.delete(id);
      await unlink(path);
    }
  }

  async #write(id: string, known: Known, rows: readonly unknown[]): Promise<void> {
    const data = Buffer.from(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const file = await open(this.path(id), known.rows === 0 ? 'w' : 'r+', 0o600);
      try {
        for (let done = 0; done < data.length; ) {
          done += (await file.write(data, done, data.length - done, known.bytes + done)).bytesWritten;
        }
        await file.datasync();
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw new PilothouseError('STATE_UNREACHABLE', `the inputs cannot be kept in ${this.#folder}`, {
        hint: 'Make room there, or write them into a file of your own and name that.',
        cause,
      });
    }
    known.rows += rows.length;
    known.bytes += data.length;
  }

  /** What an earlier bridge took counts as far as its last whole line. */
  async #look(id: string): Promise<Known> {
    const known = this.#known.get(id) ?? (await countLines(this.path(id)));
    this.#known.set(id, known);
    return known;
  }
}

async function countLines(path: string): Promise<Known> {
  const known: Known = { rows: 0, bytes: 0 };
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return known;
  try {
    const piece = Buffer.allocUnsafe(PIECE);
    for (let position = 0; ; ) {
      const { bytesRead } = await file.read(piece, 0, PIECE, position);
      if (bytesRead === 0) return known;
      const data = piece.subarray(0, bytesRead);
      for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, at + 1)) {
        known.rows += 1;
        known.bytes = position + at + 1;
      }
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
}
