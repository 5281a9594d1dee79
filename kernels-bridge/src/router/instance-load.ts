import type { InstanceRecord } from '@pilothouse/sdk/internal';
import { median } from './statistics.js';

const HEALTH_ROUND_TRIPS = 5;
const FIRST_EJECTION = 1_000;
const LONGEST_EJECTION = 30_000;

/** What the router knows of one instance beyond its record. */
export class InstanceLoad {
  /** Requests sent and not yet ended. */
  outstanding = 0;
  /** Number of the latest request sent there; the oldest goes first among equals. */
  lastTurn = 0;
  readonly #roundTrips: number[] = [];
  #probedAt = '';
  #attempt = -1;
  #ejectedUntil = 0;
  #ejection = FIRST_EJECTION;

  /** Takes in what the latest record says. */
  observe(instance: InstanceRecord): void {
    if (instance.attempt !== this.#attempt) {
      this.#attempt = instance.attempt;
      this.succeeded();
    }
    const { probe } = instance;
    if (probe === null || !probe.ok || probe.at === this.#probedAt) return;
    this.#probedAt = probe.at;
    this.#roundTrips.push(probe.latency);
    if (this.#roundTrips.length > HEALTH_ROUND_TRIPS) this.#roundTrips.shift();
  }

  /** Median of the last health round trips in milliseconds; 0 before the first. */
  get roundTrip(): number {
    return median(this.#roundTrips) ?? 0;
  }

  /** Nothing could be connected there: leaves it out for a while, longer each time. */
  refused(now: number): void {
    this.#ejectedUntil = now + this.#ejection;
    this.#ejection = Math.min(this.#ejection * 2, LONGEST_EJECTION);
  }

  succeeded(): void {
    this.#ejectedUntil = 0;
    this.#ejection = FIRST_EJECTION;
  }

  isEjected(now: number): boolean {
    return now < this.#ejectedUntil;
  }
}
