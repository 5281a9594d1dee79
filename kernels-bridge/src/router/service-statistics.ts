import { quantile, type ServiceStatistics } from '@pilothouse/sdk/internal';
import type { Parts } from '@pilothouse/serving';

/** Seconds that are kept. */
const KEPT = 3600;
/** Totals that are kept of one second, for quantiles. */
const SAMPLES = 20;

interface Second {
  count: number;
  failed: number;
  /** Requests whose parts are known. */
  measured: number;
  communication: number;
  queue: number;
  service: number;
  inference: number;
  queued: number;
  readonly totals: number[];
}

/** Requests to one service over the last hour, second by second; only seconds in which something happened take room. */
export class StatisticsKeeper {
  readonly #seconds = new Map<number, Second>();

  succeeded(now: number, total: number, parts: Parts | undefined): void {
    const second = this.#second(now);
    second.count += 1;
    // Of a busy second a sample does: the first ones, then each with the chance to replace one of them.
    if (second.totals.length < SAMPLES) second.totals.push(total);
    else {
      const slot = Math.floor(Math.random() * second.count);
      if (slot < SAMPLES) second.totals[slot] = total;
    }
    if (parts === undefined) return;
    second.measured += 1;
    second.communication += parts.communication;
    second.queue += parts.queue;
    second.service += parts.service;
    second.inference += parts.inference ?? 0;
  }

  failed(now: number): void {
    const second = this.#second(now);
    second.count += 1;
    second.failed += 1;
  }

  /** So many wait at the moment. */
  waiting(now: number, queued: number): void {
    if (queued === 0) return;
    const second = this.#second(now);
    second.queued = Math.max(second.queued, queued);
  }

  /** @param step - seconds a bucket */
  report(now: number, step: number, buckets: number): ServiceStatistics {
    const end = (Math.floor(now / 1000 / step) + 1) * step;
    const found = Array.from({ length: buckets }, (_, index) => this.#bucket(end - (buckets - index) * step, step));
    return { step, buckets: found };
  }

  #bucket(from: number, step: number): ServiceStatistics['buckets'][number] {
    const sum = empty();
    const totals: number[] = [];
    for (let at = Math.ceil(from); at < from + step; at += 1) {
      const second = this.#seconds.get(at);
      if (second === undefined) continue;
      for (const key of COUNTS) sum[key] += second[key];
      sum.queued = Math.max(sum.queued, second.queued);
      totals.push(...second.totals);
    }
    const mean = (value: number): number => (sum.measured === 0 ? 0 : value / sum.measured);
    return {
      at: new Date(from * 1000).toISOString(),
      count: sum.count,
      failed: sum.failed,
      p50: quantile(totals, 0.5),
      p99: quantile(totals, 0.99),
      communication: mean(sum.communication),
      queue: mean(sum.queue),
      service: mean(sum.service),
      inference: mean(sum.inference),
      queued: sum.queued,
    };
  }

  #second(now: number): Second {
    const at = Math.floor(now / 1000);
    let second = this.#seconds.get(at);
    if (second === undefined) {
      second = empty();
      this.#seconds.set(at, second);
      for (const old of this.#seconds.keys()) {
        if (old > at - KEPT) break;
        this.#seconds.delete(old);
      }
    }
    return second;
  }
}

const COUNTS = ['count', 'failed', 'measured', 'communication', 'queue', 'service', 'inference'] as const;

function empty(): Second {
  return {
    count: 0,
    failed: 0,
    measured: 0,
    communication: 0,
    queue: 0,
    service: 0,
    inference: 0,
    queued: 0,
    totals: [],
  };
}
