import { mkdirSync, renameSync, truncateSync, unlinkSync } from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** The two files that one process writes to. */
export interface Files {
  readonly stdout: string;
  readonly stderr: string;
}

/** Pairs that are kept for reuse; a pair is two files. */
const KEPT = 4096;
/** Bytes up to which a file is emptied on the spot; of a longer one the file system has more to give back. */
const SHORT = 1 << 20;
const NAME = /^(\d+)-(\d+)\.(out|err)$/;

/**
 * Pairs of files on the node that tasks write to, used again and again: making and removing two files for each of
 * thousands of short tasks a second would cost more than starting them. An agent uses none of an earlier agent's.
 */
export class Slots {
  readonly #folder: string;
  readonly #epoch: number;
  readonly #free: Files[] = [];
  #made = 0;

  constructor(folder: string, epoch: number) {
    this.#folder = join(folder, 's');
    this.#epoch = epoch;
  }

  prepare(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** A pair that is empty, or not there yet. */
  take(): Files {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#made += 1;
    const base = join(this.#folder, `${this.#epoch}-${this.#made}`);
    return { stdout: `${base}.out`, stderr: `${base}.err` };
  }

  /**
   * Takes back a pair that nothing writes to any more.
   *
   * @param size - bytes in both files together, as far as known
   */
  async give(files: Files, size: number | undefined): Promise<void> {
    const own = NAME.exec(files.stdout.slice(this.#folder.length + 1))?.[1] === String(this.#epoch);
    if (!own || size === undefined || size > SHORT || this.#free.length >= KEPT) {
      await Promise.all([files.stdout, files.stderr].map((path) => unlink(path).catch(ignoreMissing)));
      if (!own) return;
    } else if (size > 0) {
      truncateSync(files.stdout);
      truncateSync(files.stderr);
    }
    if (this.#free.length < KEPT) this.#free.push(files);
  }

  /** Gives the files names of their own, under which they stay. */
  keep(files: Files, names: Files): void {
    renameSync(files.stdout, names.stdout);
    renameSync(files.stderr, names.stderr);
  }

  /** Removes what earlier agents have left, but for the pairs that something still writes to. */
  async tidy(used: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const path = join(this.#folder, name);
      const epoch = NAME.exec(name)?.[1];
      if (epoch !== undefined && epoch !== String(this.#epoch) && !used.has(path)) unlinkSync(path);
    }
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
