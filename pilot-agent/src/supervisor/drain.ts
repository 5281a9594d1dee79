/** So long nothing may be under way: a request may be on its way that was sent before its sender heard of the drain. */
const QUIET_MS = 1000;
/** Longer than this no answer is waited for. */
const LIMIT_MS = 5 * 60_000;

/** Waits until an instance that takes nothing new has answered what it had. */
export class Drain {
  readonly #began: number;
  #quietSince: number | undefined;

  /** @param now - milliseconds, monotonic */
  constructor(now: number) {
    this.#began = now;
  }

  /**
   * Whether it may be ended now.
   *
   * @param outstanding - requests that are under way there
   * @param told - whether whoever sends requests has heard that it takes no more
   */
  look(now: number, outstanding: number, told: boolean): boolean {
    if (outstanding > 0 || !told) this.#quietSince = undefined;
    else this.#quietSince ??= now;
    return now - this.#began >= LIMIT_MS || (this.#quietSince !== undefined && now - this.#quietSince >= QUIET_MS);
  }
}
