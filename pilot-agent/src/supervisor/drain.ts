/** Longer than this no answer is waited for. */
const LIMIT_MS = 5 * 60_000;

/** What is known of whoever sends requests. */
export interface Senders {
  /** Whether they have heard that it takes no more. */
  readonly told: boolean;
  /** Milliseconds in which nothing may be under way: a request may be on its way that was sent before. */
  readonly quiet: number;
}

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
   */
  look(now: number, outstanding: number, { told, quiet }: Senders): boolean {
    if (outstanding > 0 || !told) this.#quietSince = undefined;
    else this.#quietSince ??= now;
    return now - this.#began >= LIMIT_MS || (this.#quietSince !== undefined && now - this.#quietSince >= quiet);
  }
}
