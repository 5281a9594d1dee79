import type { ServiceStatistics } from '@pilothouse/sdk/internal';

/** One line of a chart: a value per bucket, null where there was nothing. */
export interface Line {
  readonly key: string;
  readonly values: readonly (number | null)[];
}

/** What the charts of a service draw, all over the same times. */
export interface ChartData {
  /** Where each bucket begins, in seconds since 1970. */
  readonly times: readonly number[];
  /** Requests per second. */
  readonly rate: readonly Line[];
  /** Milliseconds. */
  readonly latency: readonly Line[];
  /** Means of the parts of the response time in milliseconds, in the order in which they are stacked. */
  readonly parts: readonly Line[];
  /** Requests waiting. */
  readonly queue: readonly Line[];
}

/** The parts of the response time, from the bottom of the stack. */
export const PARTS = ['communication', 'queue', 'service', 'inference'] as const;

/** Statistics as lines. */
export function chartData({ step, buckets }: ServiceStatistics): ChartData {
  type Bucket = ServiceStatistics['buckets'][number];
  const line = (key: string, of: (bucket: Bucket) => number | null): Line => ({ key, values: buckets.map(of) });
  const perSecond = (count: number): number => count / step;
  return {
    times: buckets.map(({ at }) => Date.parse(at) / 1000),
    rate: [line('ended', ({ count }) => perSecond(count)), line('failed', ({ failed }) => perSecond(failed))],
    latency: [line('p50', ({ p50 }) => p50), line('p99', ({ p99 }) => p99)],
    parts: PARTS.map((part) => line(part, (bucket) => (bucket.count === 0 ? null : bucket[part]))),
    queue: [line('queued', ({ queued }) => queued)],
  };
}

/** Lines put on top of each other: each is the sum of itself and all before it. */
export function stacked(lines: readonly Line[]): readonly Line[] {
  const heights: number[] = [];
  return lines.map(({ key, values }) => ({
    key,
    values: values.map((value, index) => {
      if (value === null) return null;
      heights[index] = (heights[index] ?? 0) + value;
      return heights[index] ?? null;
    }),
  }));
}

/** Whether anything has been asked in the time shown. */
export function hasRequests({ buckets }: ServiceStatistics): boolean {
  return buckets.some(({ count, queued }) => count > 0 || queued > 0);
}

/** The last value there is; null: none. */
export function lastOf(values: readonly (number | null)[]): number | null {
  return values.filter((value) => value !== null).at(-1) ?? null;
}
