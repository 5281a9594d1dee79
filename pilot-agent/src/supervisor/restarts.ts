import { formatSeconds, type PilothouseError } from '@pilothouse/sdk/shared';

const MAX_BACKOFF_SECONDS = 30;
/** How long an instance must have been ready to have earned its restarts again. */
const STEADY_MS = 600_000;

/** When an instance starts again, and what is said about it. */
export interface Restart {
  /** seconds */
  readonly delay: number;
  readonly text: string;
}

/** Counts the automatic restarts of an instance. */
export class Restarts {
  readonly #limit: number;
  #used: number;

  /**
   * @param used - restarts that earlier agents have made
   */
  constructor(limit: number, used: number) {
    this.#limit = limit;
    this.#used = used;
  }

  /**
   * The next restart after a failed attempt; undefined: none is left.
   *
   * @param readyMs - how long the attempt had been ready
   */
  next(error: PilothouseError, readyMs: number): Restart | undefined {
    if (readyMs > STEADY_MS) this.#used = 0;
    if (this.#used >= this.#limit) return undefined;
    this.#used += 1;
    // Another port is another try: nothing has to calm down first.
    const delay = error.code === 'PORT_IN_USE' ? 0 : Math.min(MAX_BACKOFF_SECONDS, 2 ** (this.#used - 1));
    const when = delay === 0 ? 'starts again at once' : `starts again in ${formatSeconds(delay)}`;
    return { delay, text: `${error.message}; ${when} (restart ${this.#used} of ${this.#limit})` };
  }
}
