import { setTimeout as delay } from 'node:timers/promises';
import type { Credit, Credits } from './credits.js';

/** Credits of a client that names its stream but not how many batches it takes. */
const DEFAULT_CREDITS = 16;

/** Milliseconds within which what follows a batch goes out with the next one. */
export const GATHER_MS = 16;

/** Things that a client was told within that time up to which nothing is gained by gathering more of them. */
const FEW = 8;

/** Where the batches of a stream come from. Each call gives what has gathered since the last. */
export interface BatchSource<T> {
  /** The next batch; null at the end. Waits only on things that end with `signal`. */
  next(signal: AbortSignal): Promise<T | null>;
  /** Whether the last batch was cut short because it was full: then nothing is gained by waiting. */
  readonly hasMore?: boolean;
  /** Things in the last batch; absent where that says nothing of how much there is to tell. */
  readonly size?: number;
  close(): void;
}

/** Flow control as clients ask for it. */
export interface Flow {
  readonly sub?: string | undefined;
  readonly credits?: number | undefined;
}

/**
 * Sends the batches of a source to one client: with credits where the client named the stream, else as fast as its
 * socket takes them. While there is little to tell, each batch goes at once; else those within `gather` of the last one
 * wait, so that they go together.
 *
 * @param open - makes the source, once somebody reads: a stream that is dropped before that leaves nothing behind
 * @param credits - of the connection; undefined over HTTP
 * @param gather - milliseconds; 0 where nothing may be held back
 */
export async function* streamBatches<T>(
  open: () => BatchSource<T>,
  flow: Flow,
  credits: Credits | undefined,
  signal: AbortSignal,
  gather: number = GATHER_MS,
): AsyncGenerator<T, void, void> {
  let credit: Credit | undefined;
  const { sub } = flow;
  const source = open();
  try {
    if (sub !== undefined) credit = credits?.open(sub, flow.credits ?? DEFAULT_CREDITS);
    let last = Number.NEGATIVE_INFINITY;
    // Things told within about the last `gather` milliseconds.
    let recent = 0;
    for (;;) {
      await credit?.take(signal);
      const wait = last + gather - performance.now();
      if (wait > 1 && recent > FEW && source.hasMore !== true) await delay(wait, undefined, { signal });
      const batch = await source.next(signal);
      if (batch === null) return;
      const now = performance.now();
      recent = source.size === undefined ? FEW + 1 : recent * Math.max(0, 1 - (now - last) / gather) + source.size;
      last = now;
      yield batch;
    }
  } catch (error) {
    // The client has gone or wants no more: the end of a stream, not a failure.
    if (!signal.aborted) throw error;
  } finally {
    if (credit !== undefined && sub !== undefined) credits?.close(sub);
    source.close();
  }
}
