import type { Bootstrap } from '@pilothouse/sdk/shared';

/**
 * Bootstrap time of one attempt, on one monotonic clock: launch (asked → process runs), init (→ ready probe passes),
 * publish (→ the bridge has made it its own). An attempt that this agent has not launched itself has none.
 */
export class BootstrapClock {
  #asked: number | undefined;
  #runs: number | undefined;
  #ready: number | undefined;
  #readySeq: number | undefined;

  asked(): void {
    this.#asked = performance.now();
  }

  runs(): void {
    this.#runs = performance.now();
  }

  /**
   * @param seq - number of the journal record that says READY
   */
  ready(seq: number): void {
    this.#ready = performance.now();
    this.#readySeq = seq;
  }

  /** Milliseconds since it became ready; 0: it has not. */
  get sinceReady(): number {
    return this.#ready === undefined ? 0 : performance.now() - this.#ready;
  }

  /** The times, once: when the bridge has everything up to a record that includes READY. */
  published(seq: number): Bootstrap | undefined {
    if (this.#readySeq === undefined || seq < this.#readySeq) return undefined;
    this.#readySeq = undefined;
    if (this.#asked === undefined || this.#runs === undefined || this.#ready === undefined) return undefined;
    return {
      launch: rounded(this.#runs - this.#asked),
      init: rounded(this.#ready - this.#runs),
      publish: rounded(performance.now() - this.#ready),
    };
  }
}

/** Microseconds are as fine as these clocks are. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
