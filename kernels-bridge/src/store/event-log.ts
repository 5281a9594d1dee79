import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.js';
import { AppendFile } from './append-file.js';
import { type LogEntry, type LogRecord, lineOf, logRecordSchema } from './log-records.js';
import { readRecords } from './read-lines.js';

/** Who writes: its epoch names the file, and it says whether it still may. */
export interface LogOwner {
  readonly epoch: number;
  assertHeld(): Promise<void>;
}

/**
 * The durable log of this bridge. A record takes effect (by `apply`) once it is on disk and before `append` resolves,
 * in the order of the file, so that replaying the files later gives the same picture.
 */
export class EventLog {
  readonly #file: AppendFile;
  readonly #folder: string;
  readonly #epoch: number;
  readonly #owner: LogOwner;
  readonly #clock: Clock;
  readonly #apply: (record: LogRecord) => void;
  #seq = 0;
  #applied = 0;

  constructor(home: string, owner: LogOwner, clock: Clock, apply: (record: LogRecord) => void) {
    this.#folder = join(home, 'log');
    this.#epoch = owner.epoch;
    this.#owner = owner;
    this.#clock = clock;
    this.#apply = apply;
    this.#file = new AppendFile(join(this.#folder, `${owner.epoch}.jsonl`));
  }

  /** Name of the file this epoch writes, and how much of it has taken effect. */
  get position(): { readonly name: string; readonly offset: number } {
    return { name: `${this.#epoch}.jsonl`, offset: this.#applied };
  }

  /**
   * Reads and applies what earlier epochs wrote, from the given offsets on.
   *
   * @returns how far each file has been read
   * @throws PilothouseError LOG_DAMAGED
   */
  async replay(offsets: ReadonlyMap<string, number>): Promise<Map<string, number>> {
    const reached = new Map<string, number>();
    for (const name of await logFiles(this.#folder)) {
      let offset = offsets.get(name) ?? 0;
      for await (const lines of readRecords(join(this.#folder, name), logRecordSchema, offset)) {
        for (const { value, end } of lines) {
          this.#seq = Math.max(this.#seq, value.seq);
          this.#apply(value);
          offset = end;
        }
      }
      reached.set(name, offset);
    }
    return reached;
  }

  /** Goes on counting after this number; for a start from the cache, which spares reading the older files. */
  continueAfter(seq: number): void {
    this.#seq = Math.max(this.#seq, seq);
  }

  get seq(): number {
    return this.#seq;
  }

  /**
   * Writes records durably and lets them take effect. All of one call stand together.
   *
   * @param durable - `soon`: the system has them at once, which no end of a process undoes, and the disk a moment later
   * @throws PilothouseError OWNERSHIP_MOVED, STATE_UNREACHABLE
   */
  async append(entries: readonly LogEntry[], durable: true | 'soon' = true): Promise<void> {
    await this.#owner.assertHeld();
    const t = this.#clock.iso();
    const records: LogRecord[] = entries.map((entry) => {
      this.#seq += 1;
      return { ...entry, seq: this.#seq, epoch: this.#epoch, t };
    });
    const lines = records.map(lineOf);
    await this.#file.append(lines, durable);
    for (const record of records) this.#apply(record);
    this.#applied += lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function logFiles(folder: string): Promise<string[]> {
  return (await readdir(folder))
    .filter((name) => /^\d+\.jsonl$/.test(name))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}
