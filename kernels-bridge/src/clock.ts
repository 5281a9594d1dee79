/** Time as the bridge takes it: one place, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds since 1970, for ordering events across hosts. */
  now(): number;
  /** Milliseconds of a clock that never jumps, for durations. */
  monotonic(): number;
  /** Now as ISO 8601 with milliseconds in UTC. */
  iso(): string;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  iso: () => new Date().toISOString(),
};
