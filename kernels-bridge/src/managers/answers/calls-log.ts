import { mkdir, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { AppendFile } from '../../store/append-file.js';
import { readRecords } from '../../store/read-lines.js';
import { type CallEntry, type CallRecord, callRecordSchema } from './call-records.js';

const NAME = /^(\d+)\.jsonl(\.next)?$/;

/**
 * The calls log: one file per epoch. When a log has grown it is written anew, without what is no longer kept, into
 * `<epoch>.jsonl.next`, which then takes the file's place; a crash between leaves both, and reading them in order gives
 * the same answers.
 */
export class CallsLog {
  readonly #folder: string;
  readonly #epoch: number;
  readonly #clock: Clock;
  #file: AppendFile;
  #seq = 0;
  #rewriting = false;

  constructor(home: string, epoch: number, clock: Clock) {
    this.#folder = join(home, 'calls');
    this.#epoch = epoch;
    this.#clock = clock;
    this.#file = new AppendFile(this.#path);
  }

  get #path(): string {
    return join(this.#folder, `${this.#epoch}.jsonl`);
  }

  /** Bytes written in this epoch. */
  get size(): number {
    return this.#file.size;
  }

  /** Reads everything there is, oldest first. */
  async *read(): AsyncGenerator<CallRecord, void, void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of await this.#names()) {
      for await (const lines of readRecords(join(this.#folder, name), callRecordSchema)) {
        for (const { value } of lines) {
          this.#seq = Math.max(this.#seq, value.seq);
          yield value;
        }
      }
    }
  }

  /**
   * Appends records, all of one call together.
   *
   * @param durable - resolve only once they are on disk
   */
  async append(entries: readonly CallEntry[], durable: boolean): Promise<void> {
    const file = this.#file;
    await file.append(this.#lines(entries), durable);
    // Written anew meanwhile: the file that has these records may be gone soon. Twice is harmless, not at all is not.
    if (durable && file !== this.#file) await this.append(entries, durable);
  }

  /** Number and bytes of the files of earlier epochs. */
  async earlier(): Promise<{ files: number; bytes: number }> {
    const names = (await this.#names()).filter((name) => epochOf(name) !== this.#epoch);
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(this.#folder, name))).size));
    return { files: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  }

  /** Writes the log anew with only these records, and removes everything older. What is appended meanwhile follows them. */
  async rewrite(kept: readonly CallEntry[]): Promise<void> {
    if (this.#rewriting) return;
    this.#rewriting = true;
    try {
      const old = this.#file;
      const next = new AppendFile(`${this.#path}.next`);
      this.#file = next;
      await next.append(this.#lines([{ type: 'rewritten' }, ...kept]), true);
      await old.close();
      await rename(next.path, this.#path);
      for (const name of await this.#names()) {
        if (epochOf(name) < this.#epoch) await unlink(join(this.#folder, name));
      }
    } finally {
      this.#rewriting = false;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #lines(entries: readonly CallEntry[]): string[] {
    const t = this.#clock.iso();
    return entries.map((entry) => {
      this.#seq += 1;
      return JSON.stringify({ ...entry, seq: this.#seq, epoch: this.#epoch, t });
    });
  }

  async #names(): Promise<string[]> {
    return (await readdir(this.#folder))
      .filter((name) => NAME.test(name))
      .sort((a, b) => epochOf(a) - epochOf(b) || a.length - b.length);
  }
}

function epochOf(name: string): number {
  return Number(NAME.exec(name)?.[1] ?? 0);
}
