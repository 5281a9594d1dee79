import { Observable } from 'rxjs';
import type { LogChunk } from '../../schemas/index.js';
import { pause } from '../deadline.js';
import type { OnClosed } from './core.js';

const SOONEST_MS = 100;
const LATEST_MS = 2_000;

/**
 * A log as it grows, from `offset` on. Asks again at growing intervals while nothing comes, at most every 2 s, and ends
 * with the log. Each subscriber reads for itself, so a late one misses nothing.
 */
export function followLog(
  read: (offset: number, signal: AbortSignal) => Promise<LogChunk>,
  onClosed: OnClosed,
): Observable<string> {
  return new Observable((subscriber) => {
    const stop = new AbortController();
    const leave = onClosed(() => stop.abort());
    subscriber.add(() => {
      leave();
      stop.abort();
    });
    const run = async () => {
      let offset = 0;
      let wait = SOONEST_MS;
      while (!stop.signal.aborted) {
        const chunk = await read(offset, stop.signal);
        if (chunk.text !== '') subscriber.next(chunk.text);
        const grown = chunk.next > offset;
        offset = chunk.next;
        if (chunk.complete && offset >= chunk.size) break;
        wait = grown ? SOONEST_MS : Math.min(wait * 2, LATEST_MS);
        if (offset >= chunk.size) await pause(wait, stop.signal);
      }
      subscriber.complete();
    };
    run().catch((error: unknown) => {
      if (stop.signal.aborted) subscriber.complete();
      else subscriber.error(error);
    });
  });
}
