import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type SpoolRecord, spoolRecordSchema } from '@pilothouse/sdk/internal';
import type { Clock } from '../clock.js';
import { AppendFile } from '../store/append-file.js';
import { readRecords } from '../store/read-lines.js';

/** A spool record as a manager hands it over; number, epoch and time are the spool's. */
export type SpoolEntry = SpoolRecord extends infer R
  ? R extends SpoolRecord
    ? Omit<R, 'seq' | 'epoch' | 't'>
    : never
  : never;

interface Spool {
  readonly file: AppendFile;
  seq: number;
}

/**
 * Writes the work of each pilot into its folder: the only way in which work reaches an agent, so that it goes on without
 * any bridge. Durable when `append` resolves.
 */
export class SpoolWriter {
  readonly #spools = new Map<string, Promise<Spool>>();

  constructor(
    private readonly home: string,
    private readonly epoch: number,
    private readonly clock: Clock,
  ) {}

  /** Appends records for one pilot and gives them as they stand in the file. */
  async append(pilot: string, entries: readonly SpoolEntry[]): Promise<SpoolRecord[]> {
    const spool = await this.#open(pilot);
    const t = this.clock.iso();
    const records: SpoolRecord[] = entries.map((entry) => {
      spool.seq += 1;
      return { ...entry, seq: spool.seq, epoch: this.epoch, t };
    });
    await spool.file.append(records.map((record) => JSON.stringify(record)));
    return records;
  }

  /** Everything that stands in a pilot's spool, in order. */
  async read(pilot: string): Promise<SpoolRecord[]> {
    const folder = join(this.home, 'pilots', pilot, 'spool');
    const names = (await readdir(folder))
      .filter((name) => /^\d+\.jsonl$/.test(name))
      .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    const records: SpoolRecord[] = [];
    for (const name of names) {
      for await (const lines of readRecords(join(folder, name), spoolRecordSchema)) {
        for (const { value } of lines) records.push(value);
      }
    }
    return records;
  }

  /** Lets go of the file of a pilot that has ended. */
  async close(pilot: string): Promise<void> {
    const spool = this.#spools.get(pilot);
    this.#spools.delete(pilot);
    if (spool !== undefined) await (await spool).file.close();
  }

  async closeAll(): Promise<void> {
    for (const pilot of [...this.#spools.keys()]) await this.close(pilot);
  }

  #open(pilot: string): Promise<Spool> {
    const known = this.#spools.get(pilot);
    if (known !== undefined) return known;
    // The numbers go on over all epochs, so what earlier ones wrote is read once.
    const opened = this.read(pilot).then((records) => ({
      // What goes into a spool stands in the log already, so it must get there, however late.
      file: new AppendFile(join(this.home, 'pilots', pilot, 'spool', `${this.epoch}.jsonl`), { patient: true }),
      seq: records.at(-1)?.seq ?? 0,
    }));
    opened.catch(() => this.#spools.delete(pilot));
    this.#spools.set(pilot, opened);
    return opened;
  }
}
