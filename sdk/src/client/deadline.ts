import { PilothouseError } from '../errors/index.js';
import { formatSeconds, toSeconds } from '../units/duration.js';
import type { CallOptions } from './types.js';

/** Reads a caller's duration; a bad one is a bad description, named by its option. */
export function timeoutSeconds(timeout: CallOptions['timeout'], fallback: number | null): number | null {
  if (timeout === undefined) return fallback;
  try {
    return toSeconds(timeout);
  } catch (cause) {
    throw new PilothouseError('INVALID_DESCRIPTION', `timeout: ${cause instanceof Error ? cause.message : cause}`, {
      field: 'timeout',
      hint: 'Write the time-out as 90s, 30m, 2h or 1h30m.',
      cause,
    });
  }
}

/** The error of a wait that took too long. */
export function timeoutError(what: string, seconds: number): PilothouseError {
  return new PilothouseError(
    'TIMEOUT',
    `${what} took longer than ${seconds < 1 ? `${seconds} s` : formatSeconds(seconds)}.`,
    {
      hint: 'Only the waiting ended, not the work: look again later, or allow more time with { timeout }.',
    },
  );
}

/**
 * Runs something under the caller's signal and time-out. Rejects with `signal.reason` or with TIMEOUT (or what
 * `onTimeout` gives), at once, even where `run` ignores its signal.
 */
export async function withDeadline<T>(
  what: string,
  options: CallOptions | undefined,
  fallbackSeconds: number | null,
  run: (signal: AbortSignal) => Promise<T>,
  onTimeout: (seconds: number) => Error = (seconds) => timeoutError(what, seconds),
): Promise<T> {
  const seconds = timeoutSeconds(options?.timeout, fallbackSeconds);
  const outer = options?.signal;
  outer?.throwIfAborted();
  const controller = new AbortController();
  const follow = () => controller.abort(outer?.reason);
  outer?.addEventListener('abort', follow, { once: true });
  const timer =
    seconds === null
      ? undefined
      : setTimeout(() => controller.abort(onTimeout(seconds)), Math.min(seconds * 1000, 2 ** 31 - 1));
  try {
    return await abortable(run(controller.signal), controller.signal);
  } finally {
    if (timer !== undefined) clearTimeout(timer);
    outer?.removeEventListener('abort', follow);
    // Whatever still listens (an open stream, a queued request) is let go.
    controller.abort();
  }
}

/** The promise, or the signal's reason as soon as it aborts. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Waits, or ends early without an error when the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
  });
}
