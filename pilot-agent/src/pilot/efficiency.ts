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

/** What an earlier agent has counted. */
export interface Counted {
  /** seconds since the pilot started */
  readonly seconds: number;
  readonly share: Share | undefined;
}

/** Before this many seconds a share says nothing. */
const TOO_EARLY = 10;

/** Adds up for how long how much of a pilot was held. */
export class Efficiency {
  readonly #capacity: InUse;
  readonly #used: () => InUse;
  readonly #since: number;
  /** What was told last. */
  #told: Share = { cores: null, gpus: null };
  #at: number;
  #coreSeconds = 0;
  #gpuSeconds = 0;
  #before: InUse = { cores: 0, gpus: 0 };

  constructor(capacity: InUse, used: () => InUse, before?: Counted, now: number = performance.now()) {
    this.#capacity = capacity;
    this.#used = used;
    this.#at = now;
    const { seconds, share } = before ?? { seconds: 0, share: undefined };
    // Without a figure of an earlier agent there is nothing to go on from but now.
    this.#since = share === undefined ? now : now - seconds * 1000;
    this.#coreSeconds = (share?.cores ?? 0) * capacity.cores * seconds;
    this.#gpuSeconds = (share?.gpus ?? 0) * capacity.gpus * seconds;
  }

  /** Whether the share differs from what it was when that was last asked. */
  get changed(): boolean {
    const { cores, gpus } = this.share;
    const differs = differ(cores, this.#told.cores) || differ(gpus, this.#told.gpus);
    if (differs) this.#told = { cores, gpus };
    return differs;
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

function differ(one: number | null, other: number | null): boolean {
  return one !== null && (other === null || Math.abs(one - other) >= 0.01);
}
