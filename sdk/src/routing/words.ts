import { PilothouseError } from '../errors/index.js';
import type { WaitReason } from './types.js';

/** Bounds of `retryAfter` in seconds. */
const RETRY_AFTER = { least: 1, most: 60, unknown: 5 };

/** No instance takes requests. */
export function waitsForService(name: string, why: (() => string) | undefined): WaitReason {
  return { code: 'WAITS_FOR_SERVICE', text: `waits for ${name} to be ready${why?.() ?? ''}` };
}

/** All that take requests have as many as they take. */
export function waitsForPlace(name: string, taken: number, places: number, ahead: number): WaitReason {
  const queue = ahead === 0 ? '' : `, ${ahead} before this one`;
  return { code: 'WAITS_FOR_PLACE', text: `waits for ${name}; ${taken} of ${places} places taken${queue}` };
}

/** @param rate - requests that ended per second of late; when to come again follows from it */
export function queueFull(
  name: string,
  ids: Readonly<Record<string, string>> | undefined,
  waiting: number,
  rate: number,
): PilothouseError {
  const seconds = rate > 0 ? Math.ceil((waiting + 1) / rate) : RETRY_AFTER.unknown;
  const text =
    waiting === 0 ? `no place is free at ${name}, and none may wait` : `${waiting} requests wait for ${name} already`;
  return new PilothouseError('QUEUE_FULL', text, {
    hint: 'Ask again later, or start the service with more instances.',
    retryAfter: Math.min(RETRY_AFTER.most, Math.max(RETRY_AFTER.least, seconds)),
    ids,
  });
}
