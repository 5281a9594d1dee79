/** Seconds of work that a worker is given ahead. */
const AHEAD_SECONDS = 0.004;
/** Calls that a worker is given ahead at most, and bytes of their arguments. */
const MOST_CALLS = 64;
export const MOST_BYTES = 1 << 20;
/** How much the latest call counts in what calls are expected to take. */
const WEIGHT = 0.2;

/**
 * How many calls a worker is given before it has answered: one, unless calls have been so short that it would spend its
 * time waiting for the next. Calls that take longer make it one again, step by step.
 */
export class Window {
  #expected = Number.POSITIVE_INFINITY;
  #size = 1;

  get size(): number {
    return this.#size;
  }

  /** @param wall - seconds that a call has taken */
  took(wall: number): void {
    const before = this.#expected;
    // One that was held up, as happens on a busy node, says little: what is expected grows by a half at most.
    const counted = Math.min(wall, before * (1 + 0.5 / WEIGHT));
    this.#expected = before === Number.POSITIVE_INFINITY ? wall : before + WEIGHT * (counted - before);
    // A worker that is just filling up is not flooded: it doubles at most.
    const fits = Math.floor(AHEAD_SECONDS / Math.max(this.#expected, 1e-6));
    this.#size = Math.max(1, Math.min(fits, MOST_CALLS, 2 * this.#size));
  }

  /** A call takes long: nothing is given ahead until short ones have been seen again. */
  narrow(): void {
    this.#expected = Number.POSITIVE_INFINITY;
    this.#size = 1;
  }
}
