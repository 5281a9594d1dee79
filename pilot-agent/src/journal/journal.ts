import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { instanceStates, type JournalRecord, pilotStates, taskStates } from '@pilothouse/sdk/shared';
import { log } from '../log.js';
import { parseLines } from './json-lines.js';
import { journalFiles, parseRecord } from './replay.js';

type WithoutStamp<T> = T extends unknown ? Omit<T, 'seq' | 'epoch' | 't'> : never;
/** What is to be written; number, epoch and time are added. */
export type JournalEntry = WithoutStamp<JournalRecord>;

/** Records kept in memory for the link; older ones are read from the files. */
const RECENT = 4096;
const RETRY_MS = 1000;

/**
 * The journal of one agent: appends, and makes final states durable before anybody hears of them.
 *
 * Records that come while a write is under way go together with the next one, so that a thousand tasks that end at
 * once cost a few `fdatasync`, not a thousand.
 */
export class Journal {
  readonly #folder: string;
  readonly #epoch: number;
  readonly #file: FileHandle;
  readonly #listeners = new Set<() => void>();
  #recent: JournalRecord[] = [];
  #pending: JournalRecord[] = [];
  #callbacks: { seq: number; done: () => void }[] = [];
  #seq: number;
  #written: number;
  #position = 0;
  #writing = false;

  private constructor(folder: string, epoch: number, seq: number, file: FileHandle) {
    this.#folder = folder;
    this.#epoch = epoch;
    this.#seq = seq;
    this.#written = seq;
    this.#file = file;
  }

  /** Opens the file of a new epoch; fails when another agent has it already. */
  static async open(folder: string, epoch: number, seq: number): Promise<Journal> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new Journal(folder, epoch, seq, await open(join(folder, `${epoch}.jsonl`), 'wx', 0o600));
  }

  /** Number of the last record that stands in the file. */
  get written(): number {
    return this.#written;
  }

  /** Calls back after each write, when there is something new to send. */
  onWritten(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Adds a record and returns its number.
   *
   * @param done - called when it stands in the file; a final state then is on the disk
   */
  append(entry: JournalEntry, done?: () => void): number {
    this.#seq += 1;
    const record: JournalRecord = { seq: this.#seq, epoch: this.#epoch, t: new Date().toISOString(), ...entry };
    this.#pending.push(record);
    if (done) this.#callbacks.push({ seq: this.#seq, done });
    if (!this.#writing) {
      this.#writing = true;
      setImmediate(() => void this.#write());
    }
    return this.#seq;
  }

  /** Resolves when everything added so far stands in the file. */
  flush(): Promise<void> {
    if (this.#written >= this.#seq) return Promise.resolve();
    return new Promise((resolve) => this.#callbacks.push({ seq: this.#seq, done: resolve }));
  }

  /** Written records after a number, oldest first, at most so many. */
  async since(seq: number, limit: number): Promise<JournalRecord[]> {
    const first = this.#recent[0];
    if (first !== undefined && first.seq <= seq + 1) {
      const from = seq + 1 - first.seq;
      return this.#recent.slice(from, from + limit);
    }
    if (seq >= this.#written) return [];
    return (await this.#read(seq)).slice(0, limit);
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file.close();
  }

  async #read(seq: number): Promise<JournalRecord[]> {
    const found: JournalRecord[] = [];
    const written = this.#written;
    for (const { path } of await journalFiles(this.#folder)) {
      for (const { number, value } of parseLines(await readFile(path), path).lines) {
        const record = parseRecord(path, number, value);
        if (record.seq > seq && record.seq <= written) found.push(record);
      }
    }
    return found;
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      const data = Buffer.from(batch.map((record) => `${JSON.stringify(record)}\n`).join(''));
      await this.#store(data, batch.some(mustLast));
      this.#position += data.length;
      this.#written = batch.at(-1)?.seq ?? this.#written;
      this.#recent = [...this.#recent, ...batch].slice(-RECENT);
      this.#announce();
    }
    this.#writing = false;
  }

  /** Writes at a fixed place, so that a second attempt after a full disk overwrites the torn first one. */
  async #store(data: Buffer, sync: boolean): Promise<void> {
    for (;;) {
      try {
        for (let done = 0; done < data.length; ) {
          done += (await this.#file.write(data, done, data.length - done, this.#position + done)).bytesWritten;
        }
        if (sync) await this.#file.datasync();
        return;
      } catch (error) {
        log('the journal cannot be written; trying again', error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #announce(): void {
    const due = this.#callbacks.filter(({ seq }) => seq <= this.#written);
    this.#callbacks = this.#callbacks.filter(({ seq }) => seq > this.#written);
    for (const { done } of due) done();
    for (const listener of this.#listeners) listener();
  }
}

/** Whether a record must be on the disk before anybody is told: final states, and the promises made by a state. */
function mustLast(record: JournalRecord): boolean {
  switch (record.type) {
    case 'task':
      return taskStates.isFinal(record.state);
    case 'instance':
      return instanceStates.isFinal(record.state) || record.state === 'READY';
    case 'pilot':
      return pilotStates.isFinal(record.state);
    case 'refused':
      return true;
  }
}
