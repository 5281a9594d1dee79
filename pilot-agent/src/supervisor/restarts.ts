import { formatSeconds, type PilothouseError, type ServiceSpec } from '@pilothouse/sdk/shared';

/** How long an instance must have been ready to have earned its restarts again. */
const STEADY_MS = 600_000;
/** Ports in a row that others may have taken before this counts as a failure like any other. */
const OTHER_PORTS = 5;

/** When an instance starts again, and what is said about it. */
export interface Restart {
  /** seconds */
  readonly delay: number;
  readonly text: string;
}

/** Counts the automatic restarts of an instance. */
export class Restarts {
  readonly #policy: ServiceSpec['restarts'];
  readonly #fixedPort: boolean;
  #used: number;
  #ports = 0;

  /**
   * @param used - restarts that earlier agents have made
   */
  constructor({ restarts, ports }: Pick<ServiceSpec, 'restarts' | 'ports'>, used: number) {
    this.#policy = restarts;
    this.#fixedPort = ports.some(({ port }) => port !== undefined);
    this.#used = used;
  }

  get used(): number {
    return this.#used;
  }

  /** Somebody has asked for a new start: all restarts are there again. */
  renew(): void {
    this.#used = 0;
    this.#ports = 0;
  }

  /**
   * The next restart after a failed attempt; undefined: none is left.
   *
   * @param readyMs - how long the attempt had been ready
   */
  next(error: PilothouseError, readyMs: number): Restart | undefined {
    if (readyMs > STEADY_MS) this.renew();
    if (error.code === 'PORT_IN_USE' && !this.#fixedPort && this.#ports < OTHER_PORTS) {
      // Another port is another try: nothing has to calm down first, and it is no fault of the service.
      this.#ports += 1;
      return { delay: 0, text: `${error.message}; starts again at once on another` };
    }
    const { max, first, factor, longest } = this.#policy;
    if (this.#used >= max) return undefined;
    this.#used += 1;
    const delay = Math.min(longest, first * factor ** (this.#used - 1));
    const when = delay === 0 ? 'starts again at once' : `starts again in ${formatSeconds(delay)}`;
    return { delay, text: `${error.message}; ${when} (restart ${this.#used} of ${max})` };
  }
}
