import { quantile } from './quantile.js';
import { Ring } from './ring.js';

/** Totals that quantiles are taken of. */
const TOTALS = 200;
/** Totals that people see one by one. */
const SHOWN = 20;
/** Seconds that a rate is taken over. */
const WINDOW = 60;
/** Seconds that the time to wait is reckoned from: what happened a minute ago says little about a queue of now. */
const RECENT = 10;

/** Requests of one service as they ended of late. */
export interface Measured {
  readonly p50: number | null;
  readonly p99: number | null;
  /** Ended per second, over the last minute. */
  readonly perSecond: number;
  /** Failed within the last minute. */
  readonly failed: number;
  /** The last totals in milliseconds, oldest first. */
  readonly recent: readonly number[];
}

interface Second {
  at: number;
  ended: number;
  failed: number;
}

/** Counts requests as they end; memory is bounded and each end costs next to nothing. */
export class Meter {
  readonly #totals = new Ring(TOTALS);
  readonly #seconds: Second[] = Array.from({ length: WINDOW }, () => ({ at: -1, ended: 0, failed: 0 }));

  /** @param totals - of an earlier life, oldest first */
  constructor(totals: readonly number[] = []) {
    for (const total of totals) this.#totals.push(total);
  }

  succeeded(total: number, now: number): void {
    this.#totals.push(Math.round(total * 10) / 10);
    this.#second(now).ended += 1;
  }

  failed(now: number): void {
    const second = this.#second(now);
    second.ended += 1;
    second.failed += 1;
  }

  measured(now: number): Measured {
    const totals = this.#totals.list();
    return {
      p50: quantile(totals, 0.5),
      p99: quantile(totals, 0.99),
      perSecond: Math.round((this.#sum(now, WINDOW, 'ended') / WINDOW) * 100) / 100,
      failed: this.#sum(now, WINDOW, 'failed'),
      recent: totals.slice(-SHOWN),
    };
  }

  /** Requests that ended per second of late; 0 where none did. */
  rate(now: number): number {
    return this.#sum(now, RECENT, 'ended') / RECENT;
  }

  #second(now: number): Second {
    const at = Math.floor(now / 1000);
    const second = this.#seconds[at % WINDOW];
    if (second === undefined) throw new RangeError(`${now} is no moment of a monotonic clock`);
    if (second.at !== at) Object.assign(second, { at, ended: 0, failed: 0 });
    return second;
  }

  #sum(now: number, seconds: number, what: 'ended' | 'failed'): number {
    const from = Math.floor(now / 1000) - seconds;
    return this.#seconds.reduce((sum, second) => (second.at > from ? sum + second[what] : sum), 0);
  }
}
