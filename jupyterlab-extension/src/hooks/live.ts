import { useEffect, useRef, useState } from 'react';
import type { Observable } from 'rxjs';
import { useActive } from './context.js';

/** At most 30 updates a second reach the screen. */
const FRAME_MS = 1000 / 30;

/**
 * The latest value of a stream that replays its last one: at most 30 renders a second, none while hidden. The first
 * value after a quiet moment is shown at once; the last one is never left out.
 *
 * An error of the stream is kept as the value's end: state streams never error, and others are read elsewhere.
 */
export function useLive<T>(source: Observable<T> | null, initial: T): T {
  const active = useActive();
  const [value, setValue] = useState(initial);
  useEffect(() => {
    if (source === null || !active) return undefined;
    let last = 0;
    let pending: ReturnType<typeof setTimeout> | undefined;
    let latest: { value: T } | undefined;
    const flush = (): void => {
      pending = undefined;
      if (latest === undefined) return;
      const next = latest.value;
      latest = undefined;
      last = performance.now();
      setValue(() => next);
    };
    const subscription = source.subscribe({
      next: (item) => {
        latest = { value: item };
        if (pending !== undefined) return;
        const wait = last + FRAME_MS - performance.now();
        if (wait <= 0) flush();
        else pending = setTimeout(flush, wait);
      },
      error: flush,
      complete: flush,
    });
    return () => {
      subscription.unsubscribe();
      if (pending !== undefined) clearTimeout(pending);
    };
  }, [source, active]);
  return value;
}

/** The wall clock in milliseconds, moving on every `period` milliseconds while visible. */
export function useNow(period = 1000): number {
  const active = useActive();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), period);
    return () => clearInterval(timer);
  }, [active, period]);
  return now;
}

/**
 * Keeps rows where they are while the pointer is over them: new ones are put last, and the right order comes back when
 * the pointer has left.
 */
export function useStableOrder<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): { readonly items: readonly T[]; readonly hold: { onPointerEnter: () => void; onPointerLeave: () => void } } {
  const [held, setHeld] = useState(false);
  const order = useRef<readonly string[]>([]);
  const place = new Map(order.current.map((key, index) => [key, index]));
  const shown = held
    ? [...items].sort((a, b) => (place.get(keyOf(a)) ?? place.size) - (place.get(keyOf(b)) ?? place.size))
    : items;
  useEffect(() => {
    if (!held) order.current = items.map(keyOf);
  });
  return {
    items: shown,
    hold: { onPointerEnter: () => setHeld(true), onPointerLeave: () => setHeld(false) },
  };
}
