import type { ProbeResult } from '@pilothouse/sdk/shared';

/** Times one look at an instance. */
export class Look {
  readonly #at = new Date().toISOString();
  readonly #started = performance.now();

  /** What has come of it. */
  result(ok: boolean, text: string): ProbeResult {
    const latency = Math.round((performance.now() - this.#started) * 1000) / 1000;
    return { ok, at: this.#at, latency, text };
  }
}
