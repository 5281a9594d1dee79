const FIRST_MS = 50;
const LONGEST_MS = 5_000;

/** Delays that grow and differ between clients, so that a restarted bridge is not met by all of them at once. */
export interface BackOff {
  /** milliseconds to wait before the next attempt */
  next(): number;
  reset(): void;
}

/** Exponential delays from 50 ms to 5 s, each between half and all of its step. */
export function backOff(first = FIRST_MS, longest = LONGEST_MS): BackOff {
  let step = first;
  return {
    next() {
      const delay = step * (0.5 + Math.random() / 2);
      step = Math.min(step * 2, longest);
      return delay;
    },
    reset() {
      step = first;
    },
  };
}
