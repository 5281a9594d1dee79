/** How much of it is in use. */
export interface InUse {
  readonly cores: number;
  readonly gpus: number;
}

/** What there is, as a share of one. */
export interface Share {
  readonly cores: number | null;
  readonly gpus: number | null;
}

/** Before this many seconds a share says nothing. */
const TOO_EARLY = 10;

/** Adds up for how long how much of a pilot was held. */
export class Efficiency {
  readonly #capacity: InUse;
  readonly #used: () => InUse;
  readonly #since: number;
  #at: number;
  #coreSeconds = 0;
  #gpuSeconds = 0;
  #before: InUse = { cores: 0, gpus: 0 };

  constructor(capacity: InUse, used: () => InUse, now: number = performance.now()) {
    this.#capacity = capacity;
    this.#used = used;
    this.#since = now;
    this.#at = now;
  }

  /** Counts what was in use since the last look; called often enough to see what comes and goes. */
  look(now: number = performance.now()): void {
    const seconds = (now - this.#at) / 1000;
    const { cores, gpus } = this.#used();
    // What changed in between is taken at the middle.
    this.#coreSeconds += (seconds * (cores + this.#before.cores)) / 2;
    this.#gpuSeconds += (seconds * (gpus + this.#before.gpus)) / 2;
    this.#at = now;
    this.#before = { cores, gpus };
  }

  /** Held over available seconds; null where there is nothing to hold, or it is too early to say. */
  get share(): Share {
    const seconds = (this.#at - this.#since) / 1000;
    const { cores, gpus } = this.#capacity;
    if (seconds < TOO_EARLY) return { cores: null, gpus: null };
    return {
      cores: round(this.#coreSeconds / (seconds * cores)),
      gpus: gpus === 0 ? null : round(this.#gpuSeconds / (seconds * gpus)),
    };
  }
}

function round(value: number): number {
  return Math.min(1, Math.round(value * 1000) / 1000);
}
