import type { IncomingHttpHeaders } from 'node:http';

/** What a server says of its own time, in milliseconds; null: not reported. */
export interface ServerTiming {
  readonly inference: number | null;
  readonly queued: number | null;
}

/**
 * Reads `Server-Timing: inference;dur=12.5, queue;dur=3` and OpenAI's `openai-processing-ms`.
 *
 * @see https://www.w3.org/TR/server-timing/
 */
export function serverTiming(headers: IncomingHttpHeaders): ServerTiming {
  const metrics = new Map<string, number>();
  const lines = headers['server-timing'];
  for (const metric of (Array.isArray(lines) ? lines.join(',') : (lines ?? '')).split(',')) {
    const [name = '', ...params] = metric.split(';').map((part) => part.trim());
    const duration = params.map((param) => /^dur="?([\d.]+)"?$/.exec(param)?.[1]).find((value) => value !== undefined);
    if (duration !== undefined && Number.isFinite(Number(duration))) metrics.set(name.toLowerCase(), Number(duration));
  }
  const processing = Number(headers['openai-processing-ms'] ?? Number.NaN);
  return {
    inference: metrics.get('inference') ?? (Number.isFinite(processing) ? processing : null),
    queued: metrics.get('queue') ?? metrics.get('queued') ?? null,
  };
}
