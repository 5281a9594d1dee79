import { ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Bytes after which what is known for good is forgotten. */
const TRIM_BYTES = 64 * 1024;

/**
 * What this worker has begun, as a file that outlives it, and what it must not begin. The agent writes `range` and then
 * reads `begun`; the worker writes `begun` and then reads `range`: at least one of the two sees the other.
 */
export class Begun {
  readonly #begun: number;
  readonly #range: number;
  readonly #taken = Buffer.alloc(16);
  #written = 0;

  constructor(folder: string) {
    this.#begun = openSync(join(folder, 'begun'), 'a', 0o600);
    // Made where it is not there, and never written.
    this.#range = openSync(join(folder, 'range'), 'a+', 0o600);
  }

  /** Writes down that a call begins; false when it was taken back. */
  begin(number: number, run: string): boolean {
    const line = `+${number} ${run}\n`;
    writeSync(this.#begun, line);
    this.#written += line.length;
    if (readSync(this.#range, this.#taken, 0, 16, 0) < 16) return true;
    if (number < this.#taken.readDoubleLE(0) || number >= this.#taken.readDoubleLE(8)) return true;
    writeSync(this.#begun, `-${number} ${run}\n`);
    return false;
  }

  /** Forgets what is there; only when all of it is known to the agent for good. */
  trim(): void {
    if (this.#written <= TRIM_BYTES) return;
    ftruncateSync(this.#begun, 0);
    this.#written = 0;
  }
}
