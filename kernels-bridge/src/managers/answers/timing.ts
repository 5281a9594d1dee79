import { quantile, type Timing, type Usage } from '@pilothouse/sdk/internal';

/** Moments and lengths of one request, in milliseconds; moments count from when it was accepted. */
export interface Measured {
  /** When it was handed to an instance; null when it never was. */
  readonly sentAt: number | null;
  /** When its last byte was here, or it ended otherwise. */
  readonly endedAt: number;
  /** When each piece of text was read. */
  readonly chunksAt: readonly number[];
  /** How long connecting took. */
  readonly connect: number;
  /** Median health round trip of the instance. */
  readonly roundTrip: number;
  /** What the server says it computed, and how long the request waited there; null: not reported. */
  readonly inference: number | null;
  readonly queued: number | null;
  readonly usage: Usage | null;
}

/**
 * The parts of a request's time: RT = communication + queue + service + inference. Queue is accepted → sent (attempts in
 * vain included) plus what the server reports as waiting; communication is connecting plus the median health round trip;
 * inference is what the server reports; service is the rest. The parts add up to the total: a round trip measured at another moment yields where it would not fit.
 */
export function timingOf(measured: Measured): Timing {
  const { endedAt: total, chunksAt } = measured;
  const queue = Math.min((measured.sentAt ?? total) + (measured.queued ?? 0), total);
  const inference = measured.inference === null ? null : Math.min(measured.inference, total - queue);
  const rest = total - queue - (inference ?? 0);
  const communication = measured.sentAt === null ? 0 : Math.min(measured.connect + measured.roundTrip, rest);
  const gaps = chunksAt.slice(1).map((at, index) => at - (chunksAt[index] ?? at));
  const first = chunksAt[0];
  const last = chunksAt[chunksAt.length - 1];
  const tokens = measured.usage?.completionTokens ?? null;
  return {
    total,
    client: null,
    communication,
    queue,
    service: rest - communication,
    inference,
    ttft: first ?? null,
    gaps: gaps.length === 0 ? null : { p50: quantile(gaps, 0.5) ?? 0, p99: quantile(gaps, 0.99) ?? 0 },
    tokensPerSecond:
      tokens === null || tokens < 2 || first === undefined || last === undefined || last <= first
        ? null
        : ((tokens - 1) / (last - first)) * 1000,
  };
}
