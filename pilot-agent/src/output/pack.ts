import { type FileHandle, open } from 'node:fs/promises';
import { leftOut, leftOutLine, sizeOf } from './ranges.js';

const COPY_BYTES = 1 << 20;

/** Where something lies in the pack. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** What is to be added: bytes in hand, or the path of a file. */
export type Source = Buffer | string;

interface Job {
  readonly sources: readonly Source[];
  readonly resolve: (ranges: Range[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One file that outputs are added to, one after the other. What comes in hand while a write is under way goes together
 * with the next one, so that the outputs of a thousand short tasks cost a few writes.
 */
export class Pack {
  readonly #file: FileHandle;
  #size: number;
  #jobs: Job[] = [];
  #working = false;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  static async open(path: string): Promise<Pack> {
    const file = await open(path, 'a', 0o600);
    return new Pack(file, (await file.stat()).size);
  }

  /** Adds these; rejects when the file system does not take them, and then nothing of them is in the file. */
  add(sources: readonly Source[]): Promise<Range[]> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ sources, resolve, reject });
      if (!this.#working) void this.#work();
    });
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async #work(): Promise<void> {
    this.#working = true;
    // What is added in this turn of the loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#jobs.length > 0) {
      const first = this.#jobs.findIndex(({ sources }) => sources.some((source) => typeof source === 'string'));
      if (first === 0) await this.#copyAll(this.#jobs.splice(0, 1));
      else await this.#writeAll(this.#jobs.splice(0, first < 0 ? this.#jobs.length : first));
    }
    this.#working = false;
  }

  /** For jobs of which everything is in hand. */
  async #writeAll(jobs: readonly Job[]): Promise<void> {
    const start = this.#size;
    try {
      await this.#append(Buffer.concat(jobs.flatMap(({ sources }) => sources.filter(isBuffer))));
      let offset = start;
      for (const { sources, resolve } of jobs) {
        const ranges = sources.filter(isBuffer).map(({ length }) => {
          const range = { offset, length };
          offset += length;
          return range;
        });
        resolve(ranges);
      }
    } catch (error) {
      await this.#undo(start);
      for (const { reject } of jobs) reject(error);
    }
  }

  async #copyAll(jobs: readonly Job[]): Promise<void> {
    for (const { sources, resolve, reject } of jobs) {
      const start = this.#size;
      try {
        const ranges: Range[] = [];
        for (const source of sources) {
          const offset = this.#size;
          if (typeof source === 'string') await this.#copy(source);
          else await this.#append(source);
          ranges.push({ offset, length: this.#size - offset });
        }
        resolve(ranges);
      } catch (error) {
        await this.#undo(start);
        reject(error);
      }
    }
  }

  /** What was written is of no use, and takes room where there is none: the node's files stay the only ones. */
  async #undo(size: number): Promise<void> {
    await this.#file.truncate(size).catch(() => undefined);
    this.#size = (await this.#file.stat()).size;
  }

  async #copy(path: string): Promise<void> {
    const size = await sizeOf(path);
    if (size === undefined || size === 0) return;
    const hole = leftOut(size);
    const source = await open(path, 'r');
    try {
      await this.#copyRange(source, 0, hole?.from ?? size);
      if (hole === undefined) return;
      await this.#append(Buffer.from(leftOutLine(hole.to - hole.from)));
      await this.#copyRange(source, hole.to, size);
    } finally {
      await source.close();
    }
  }

  async #copyRange(source: FileHandle, from: number, to: number): Promise<void> {
    const buffer = Buffer.alloc(Math.min(COPY_BYTES, to - from));
    for (let at = from; at < to; ) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, to - at), at);
      if (bytesRead === 0) return;
      await this.#append(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  }

  async #append(data: Buffer): Promise<void> {
    if (data.length === 0) return;
    await this.#file.appendFile(data);
    this.#size += data.length;
  }
}

function isBuffer(source: Source): source is Buffer {
  return typeof source !== 'string';
}
