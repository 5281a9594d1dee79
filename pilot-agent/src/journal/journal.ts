import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { batchStates, instanceStates, type JournalRecord, pilotStates, taskStates } from '@pilothouse/sdk/shared';
import { log } from '../log.js';
import { JournalReader, type Written } from './reader.js';

type WithoutStamp<T> = T extends unknown ? Omit<T, 'seq' | 'epoch' | 't'> : never;
/** What is to be written; number, epoch and time are added. */
export type JournalEntry = WithoutStamp<JournalRecord>;

/** Records kept in memory for the link; older ones are read from the files. */
const RECENT = 8192;
const RETRY_MS = 1000;
/** In a rush, the time between two writes at least. What comes one by one is written at once. */
const PACE_MS = 8;
/** How soon the disk has what need not be there before anybody is told. */
const SOON_MS = 20;
/** Records a millisecond from which on it is a rush, and how long they are counted. */
const RUSH = 1;
const COUNT_MS = 16;

/**
 * The journal of one agent: appends, and makes final states durable before anybody hears of them.
 *
 * Records that come while a write is under way go together with the next one, so that a thousand tasks that end at
 * once cost a few `fdatasync`, not a thousand.
 */
export class Journal {
  readonly #reader: JournalReader;
  readonly #epoch: number;
  readonly #file: FileHandle;
  readonly #listeners = new Set<() => void>();
  /** The last lines that were written, with the number of the first. Up to twice as many, so that it is rarely cut. */
  #recent: string[] = [];
  #recentFrom: number;
  #pending: string[] = [];
  /** Whether one of them must be on the disk before anybody is told. */
  #pendingSync = false;
  #now = 0;
  #time = '';
  #callbacks: { seq: number; done: () => void }[] = [];
  #seq: number;
  #written: number;
  #position = 0;
  #writing = false;
  #nextWrite = 0;
  #counted = 0;
  #countedFrom = 0;
  #rush = false;
  /** Somebody waits for the end. */
  #hurry = false;
  #syncing: NodeJS.Timeout | undefined;

  private constructor(folder: string, epoch: number, seq: number, file: FileHandle) {
    this.#reader = new JournalReader(folder);
    this.#epoch = epoch;
    this.#seq = seq;
    this.#recentFrom = seq + 1;
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
    // Made once, for the file and for the link. The number comes first, as the reader expects.
    const stamp = `{"seq":${this.#seq},"epoch":${this.#epoch},"t":"${this.#stamp()}",`;
    this.#pending.push(stamp + JSON.stringify(entry).slice(1));
    this.#pendingSync ||= mustLast(entry);
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
  async since(seq: number, limit: number): Promise<Written> {
    if (seq >= this.#written) return { lines: [], last: seq };
    if (seq + 1 < this.#recentFrom) return this.#reader.read(seq, this.#written, limit);
    const from = seq + 1 - this.#recentFrom;
    const lines = this.#recent.slice(from, from + limit);
    return { lines, last: seq + lines.length };
  }

  async close(): Promise<void> {
    this.#hurry = true;
    await this.flush();
    clearTimeout(this.#syncing);
    await this.#file.datasync();
    await this.#file.close();
  }

  /** Now, as text; made anew once a millisecond. */
  #stamp(): string {
    const now = Date.now();
    if (now !== this.#now) {
      this.#now = now;
      this.#time = new Date(now).toISOString();
    }
    return this.#time;
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const wait = this.#nextWrite - performance.now();
      if (wait > 0 && !this.#hurry) await new Promise((resolve) => setTimeout(resolve, wait));
      const batch = this.#pending;
      this.#pace(batch.length);
      const sync = this.#pendingSync;
      this.#pending = [];
      this.#pendingSync = false;
      const data = Buffer.from(`${batch.join('\n')}\n`);
      await this.#store(data, sync);
      this.#position += data.length;
      this.#written += batch.length;
      for (const line of batch) this.#recent.push(line);
      if (this.#recent.length > 2 * RECENT) {
        this.#recentFrom += this.#recent.length - RECENT;
        this.#recent = this.#recent.slice(-RECENT);
      }
      this.#announce();
    }
    this.#writing = false;
  }

  /** Decides how long to wait for the next ones to come together. */
  #pace(records: number): void {
    const now = performance.now();
    this.#counted += records;
    const passed = now - this.#countedFrom;
    if (passed >= COUNT_MS) {
      this.#rush = this.#counted / passed > RUSH;
      this.#counted = 0;
      this.#countedFrom = now;
    }
    this.#nextWrite = this.#rush ? now + PACE_MS : 0;
  }

  /** Writes at a fixed place, so that a second attempt after a full disk overwrites the torn first one. */
  async #store(data: Buffer, sync: boolean): Promise<void> {
    for (;;) {
      try {
        for (let done = 0; done < data.length; ) {
          done += (await this.#file.write(data, done, data.length - done, this.#position + done)).bytesWritten;
        }
        if (sync) await this.#file.datasync();
        else this.#syncSoon();
        return;
      } catch (error) {
        log('the journal cannot be written; trying again', error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** The end of a call is told without waiting for the disk, which has it a moment later. */
  #syncSoon(): void {
    this.#syncing ??= setTimeout(() => {
      this.#syncing = undefined;
      this.#file.datasync().catch((error: unknown) => {
        log('the journal is not on the disk yet; trying again', error);
        if (!this.#hurry) this.#syncSoon();
      });
    }, SOON_MS);
  }

  #announce(): void {
    const open = this.#callbacks.findIndex(({ seq }) => seq > this.#written);
    const due = this.#callbacks.splice(0, open < 0 ? this.#callbacks.length : open);
    for (const { done } of due) done();
    for (const listener of this.#listeners) listener();
  }
}

/** Whether a record must be on the disk before anybody is told: final states, and the promises made by a state. */
function mustLast(record: JournalEntry): boolean {
  switch (record.type) {
    case 'task':
      // A call in a warm worker takes less time than the disk; the system has its end at once, which no kill undoes.
      return taskStates.isFinal(record.state) && record.value === undefined && record.exception === undefined;
    case 'instance':
      return instanceStates.isFinal(record.state) || record.state === 'READY';
    case 'pilot':
      return pilotStates.isFinal(record.state);
    case 'batch':
      return batchStates.isFinal(record.state);
    case 'service':
      return false;
    case 'claimed':
    case 'refused':
      return true;
  }
}
