import { PilothouseError } from '../../errors/index.js';
import { newId } from '../../ids/ids.js';
import type { BridgeApi } from '../api.js';
import { backOff } from '../connection/back-off.js';
import type { Connector, Link } from '../connection/connector.js';
import { pause } from '../deadline.js';
import { decodeError } from '../decode-error.js';

/** Batches that may be under way before the reader has taken the first of them. */
const WINDOW = 16;

/** What a stream call takes for flow control. */
export interface Flow {
  readonly sub: string;
  readonly credits: number;
}

export interface CreditStreamOptions {
  readonly signal: AbortSignal;
  /** Tells, at the end of the server's stream, whether all has been read; if not it is opened again. */
  readonly finished: () => boolean;
  readonly window?: number | undefined;
}

/**
 * Reads a contract stream with credits, across lost connections: `open` is called again for each connection and asks to
 * go on after what has been consumed (not what has been received: batches that lay unread are sent once more).
 * Throws what the server reports, or `signal.reason`.
 */
export async function* creditStream<T>(
  connector: Connector,
  open: (api: BridgeApi, flow: Flow, signal: AbortSignal) => Promise<AsyncIterator<T>>,
  { signal, finished, window = WINDOW }: CreditStreamOptions,
): AsyncGenerator<T, void, void> {
  const delay = backOff();
  for (;;) {
    signal.throwIfAborted();
    const link = await connector.link(signal);
    try {
      const flow = { sub: newId('sub'), credits: window };
      const iterator = await open(link.api, flow, signal);
      for await (const item of consume(iterator, link, flow)) {
        delay.reset();
        yield item;
      }
      if (finished()) return;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const decoded = link.lost ?? decodeError(error);
      if (decoded.code !== 'CONNECTION_LOST') throw decoded;
      if (finished()) return;
    }
    await pause(delay.next(), signal);
  }
}

/** Yields the stream's items and grants new credits as they are consumed, half a window at a time. */
async function* consume<T>(iterator: AsyncIterator<T>, link: Link, flow: Flow): AsyncGenerator<T, void, void> {
  const half = Math.max(1, flow.credits >> 1);
  let consumed = 0;
  let ended = false;
  try {
    for (;;) {
      const { value, done } = await iterator.next();
      if (done) {
        ended = true;
        return;
      }
      yield value;
      consumed += 1;
      if (consumed === half) {
        consumed = 0;
        grant(link, flow.sub, half);
      }
    }
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    if (!ended) await stopReading(iterator);
  }
}

/** Not awaited: the stream itself says when something is wrong, and a grant for a stream that has ended means nothing. */
function grant(link: Link, sub: string, credits: number): void {
  link.api.system.grant({ sub, credits }).catch((error: unknown) => {
    const { code } = decodeError(error);
    if (link.lost === null && code === 'INVALID_FRAME') link.drop(decodeError(error));
  });
}

async function stopReading(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch (error) {
    // The connection went first: there is nobody left to tell.
    if (error instanceof PilothouseError && error.code !== 'CONNECTION_LOST') throw error;
  }
}
