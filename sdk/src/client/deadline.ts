import { PilothouseError } from '../errors/index.js';
import { type Duration, formatSeconds, toSeconds } from '../units/duration.js';
import { onAbort } from './on-abort.js';
import type { CallOptions } from './types.js';

/** Timers count in 32 bits; longer ones would fire at once. */
export const LONGEST_MS = 2 ** 31 - 1;

/** Reads a caller's duration; a bad one is a bad description, named by its option. */
export function timeoutSeconds(timeout: CallOptions['timeout'], fallback: number | null): number | null {
  return timeout === undefined ? fallback : secondsOf('timeout', timeout);
}

/** The duration that a caller gave in that option; INVALID_DESCRIPTION where it is none. */
export function secondsOf(option: string, duration: Duration): number {
  try {
    return toSeconds(duration);
  } catch (cause) {
    throw new PilothouseError('INVALID_DESCRIPTION', `${option}: ${cause instanceof Error ? cause.message : cause}`, {
      field: option,
      hint: 'Write it as 90s, 30m, 2h or 1h30m.',
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
  const unfollow = outer && onAbort(outer, () => controller.abort(outer.reason));
  const timer =
    seconds === null
      ? undefined
      : setTimeout(() => controller.abort(onTimeout(seconds)), Math.min(seconds * 1000, LONGEST_MS));
  try {
    return await abortable(run(controller.signal), controller.signal);
  } finally {
    clearTimeout(timer);
    unfollow?.();
    // Whatever still listens (an open stream, a queued request) is let go.
    controller.abort();
  }
}

/** The promise, or the signal's reason as soon as it aborts. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const leave = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(leave);
  });
}

/** Waits, or ends early without an error when the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      leave();
      resolve();
    };
    const timer = setTimeout(() => done(), milliseconds);
    let leave = (): void => undefined;
    leave = onAbort(signal, done);
  });
}
