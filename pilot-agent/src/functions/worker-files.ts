import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Demand } from '../scheduler/demand.js';

/** What is written down about a worker when it is started, for an agent that comes after this one. */
export interface WorkerCard {
  /** Key of its pool. */
  readonly pool: string;
  readonly demand: Demand;
  /** Names of its GPUs, which it has for as long as it lives. */
  readonly gpus: readonly string[];
}

/**
 * The folder of one worker on the node. `begun` is what the worker has begun (`+number run`, and `-number run` where it
 * then saw that this was taken back), `range` the numbers that it must not begin: see `begun.py` for why this order of
 * writing and reading is safe.
 */
export class WorkerFiles {
  readonly folder: string;
  #range: number | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  create(card: WorkerCard): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.folder, 'worker.json'), JSON.stringify(card), { mode: 0o600 });
  }

  /** What an earlier agent wrote down; undefined: it was killed before it could. */
  card(): WorkerCard | undefined {
    try {
      return JSON.parse(readFileSync(join(this.folder, 'worker.json'), 'utf8')) as WorkerCard;
    } catch {
      return undefined;
    }
  }

  /** Forbids to begin these numbers, but for those that have begun already; `end` is not among them. */
  forbid(first: number, end: number): void {
    this.#range ??= openSync(join(this.folder, 'range'), 'w', 0o600);
    const bytes = Buffer.allocUnsafe(16);
    bytes.writeDoubleLE(first, 0);
    bytes.writeDoubleLE(end, 8);
    writeSync(this.#range, bytes, 0, bytes.length, 0);
  }

  /** What has begun since the worker last forgot what is known for good: run by number. */
  begun(): Map<number, string> {
    const found = new Map<number, string>();
    for (const line of read(join(this.folder, 'begun')).split('\n')) {
      const [number = '', run] = line.slice(1).split(' ');
      // A line of a worker that was killed while it wrote has no run; the call has not begun then.
      if (run === undefined) continue;
      if (line.startsWith('+')) found.set(Number(number), run);
      else found.delete(Number(number));
    }
    return found;
  }

  /** The last that the worker and its libraries wrote to its own output, beside what calls have printed. */
  lastWords(): string {
    return read(join(this.folder, 'err')).slice(-4096).trimEnd();
  }

  remove(): void {
    if (this.#range !== undefined) closeSync(this.#range);
    this.#range = undefined;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Folders of workers below this one. */
export function workersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // none was ever started
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
