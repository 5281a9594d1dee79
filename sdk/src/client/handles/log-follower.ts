import type { Observable } from 'rxjs';
import type { LogChunk } from '../../schemas/index.js';
import { pause } from '../deadline.js';
import { onAbort } from '../on-abort.js';
import { observe } from '../streams/observe.js';
import type { OnClosed } from './core.js';

const SOONEST_MS = 100;
const LATEST_MS = 2_000;

export interface FollowLog {
  /** Byte offset; negative counts from the end. */
  readonly from: number;
  readonly onClosed: OnClosed;
  /** Emits when whatever writes the log changes: a reason to look at once. */
  readonly changes: Observable<unknown>;
}

/**
 * A log as it grows. Asks again when its task changes and, as long as nothing comes, at growing intervals of at most 2 s;
 * ends with the log. Each subscriber reads for itself, so a late one misses nothing.
 */
export function followLog(
  read: (offset: number, signal: AbortSignal) => Promise<LogChunk>,
  { from, onClosed, changes }: FollowLog,
): Observable<string> {
  return observe(onClosed, async function* (signal) {
    let changed = false;
    let wake = (): void => undefined;
    const subscription = changes.subscribe(() => {
      changed = true;
      wake();
    });
    try {
      let offset = from;
      let wait = SOONEST_MS;
      for (;;) {
        changed = false;
        const chunk = await read(offset, signal);
        if (chunk.text !== '') yield chunk.text;
        const grown = chunk.next > offset;
        offset = chunk.next;
        if (chunk.complete && offset >= chunk.size) return;
        wait = grown ? SOONEST_MS : Math.min(wait * 2, LATEST_MS);
        if (changed || offset < chunk.size) continue;
        const early = new AbortController();
        const leave = onAbort(signal, () => early.abort());
        wake = () => early.abort();
        await pause(wait, early.signal);
        leave();
        signal.throwIfAborted();
      }
    } finally {
      subscription.unsubscribe();
    }
  });
}
