import type { FileHandle } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

/** What hears of rows on the disk. */
export interface WriterListener {
  /** A group of rows is on the disk. */
  stored(): void;
  /** The disk takes nothing; undefined: it does again. */
  troubled(why: string | undefined): void;
}

interface Group {
  readonly lines: string[];
  readonly stored: (() => void)[];
}

/** Rows of one group at most, so that none waits long for the disk, and the least time between two groups. */
const GROUP_ROWS = 4096;
const PACE_MS = 25;
const RETRY_MS = 1000;
/** Characters that may wait for the disk before no further requests are sent. */
const FULL = 16 * 1024 * 1024;

/**
 * Appends rows to an output file in groups, each on the disk before its rows count. One writer; each group goes to a place
 * that is known, so that a second attempt after a full disk writes over the torn first one.
 */
export class RowWriter {
  readonly #file: FileHandle;
  readonly #listener: WriterListener;
  #position: number;
  #group: Group = { lines: [], stored: [] };
  #waiting = 0;
  #running: Promise<void> | undefined;
  #hurry = false;
  #closed = false;

  constructor(file: FileHandle, position: number, listener: WriterListener) {
    this.#file = file;
    this.#position = position;
    this.#listener = listener;
  }

  /** Whether so much waits for the disk that nothing more should be asked. */
  get full(): boolean {
    return this.#waiting > FULL;
  }

  /**
   * Takes one row.
   *
   * @param stored - called once it is on the disk
   */
  add(line: string, stored: () => void): void {
    // What comes after the end is missing, and the next batch asks it again.
    if (this.#closed) return;
    this.#group.lines.push(line);
    this.#group.stored.push(stored);
    this.#waiting += line.length + 1;
    this.#running ??= this.#run();
  }

  /** Resolves when every row taken so far is on the disk. */
  async flush(): Promise<void> {
    this.#hurry = true;
    await this.#running;
    this.#hurry = false;
  }

  /** Writes what there is, gives it up where the disk takes nothing, and closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#hurry = true;
    await this.#running;
    await this.#file.close();
  }

  async #run(): Promise<void> {
    // Rows that end in the same turn go together.
    await new Promise(setImmediate);
    while (this.#group.lines.length > 0) {
      const began = performance.now();
      const lines = this.#group.lines.splice(0, GROUP_ROWS);
      const stored = this.#group.stored.splice(0, GROUP_ROWS);
      const data = Buffer.from(`${lines.join('\n')}\n`);
      if (!(await this.#store(data))) break;
      this.#position += data.length;
      for (const line of lines) this.#waiting -= line.length + 1;
      for (const done of stored) done();
      this.#listener.stored();
      const rest = began + PACE_MS - performance.now();
      if (rest > 0 && !this.#hurry) await pause(rest);
    }
    this.#running = undefined;
  }

  async #store(data: Buffer): Promise<boolean> {
    for (let troubled = false; ; ) {
      try {
        for (let done = 0; done < data.length; ) {
          done += (await this.#file.write(data, done, data.length - done, this.#position + done)).bytesWritten;
        }
        await this.#file.datasync();
        if (troubled) this.#listener.troubled(undefined);
        return true;
      } catch (error) {
        troubled = true;
        this.#listener.troubled(error instanceof Error ? error.message : String(error));
        if (this.#closed) return false;
        await pause(RETRY_MS);
      }
    }
  }
}
