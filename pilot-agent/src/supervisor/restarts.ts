import { formatSeconds, type PilothouseError, type ServiceSpec } from '@pilothouse/sdk/shared';

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
  readonly #policy: ServiceSpec['restarts'];
  #used: number;

  /**
   * @param used - restarts that earlier agents have made
   */
  constructor(policy: ServiceSpec['restarts'], used: number) {
    this.#policy = policy;
    this.#used = used;
  }

  /**
   * The next restart after a failed attempt; undefined: none is left.
   *
   * @param readyMs - how long the attempt had been ready
   */
  next(error: PilothouseError, readyMs: number): Restart | undefined {
    if (readyMs > STEADY_MS) this.#used = 0;
    if (this.#used >= this.#policy.max) return undefined;
    this.#used += 1;
    const { first, factor, longest } = this.#policy;
    // Another port is another try: nothing has to calm down first.
    const delay = error.code === 'PORT_IN_USE' ? 0 : Math.min(longest, first * factor ** (this.#used - 1));
    const when = delay === 0 ? 'starts again at once' : `starts again in ${formatSeconds(delay)}`;
    return { delay, text: `${error.message}; ${when} (restart ${this.#used} of ${this.#policy.max})` };
  }
}
