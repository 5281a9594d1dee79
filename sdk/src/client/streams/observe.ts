import { Observable } from 'rxjs';
import { decodeError } from '../decode-error.js';
import type { OnClosed } from '../handles/core.js';

/**
 * An observable of what `read` yields. Each subscriber reads for itself; it completes when the handle or session is
 * closed, and unsubscribing ends the reading.
 */
export function observe<T>(onClosed: OnClosed, read: (signal: AbortSignal) => AsyncIterable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const stop = new AbortController();
    const leave = onClosed((reason) => stop.abort(reason));
    subscriber.add(() => {
      leave();
      stop.abort();
    });
    const run = async () => {
      for await (const value of read(stop.signal)) {
        subscriber.next(value);
        if (subscriber.closed) return;
      }
      subscriber.complete();
    };
    run().catch((error: unknown) => {
      if (stop.signal.aborted) subscriber.complete();
      else subscriber.error(decodeError(error));
    });
  });
}
