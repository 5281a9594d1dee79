/** Requests that look for an instance at a time: enough that a place that comes free is taken at once. */
const LEAST_SEEKING = 2;
const MOST_SEEKING = 16;
const SEEKING_SHARE = 8;

/**
 * How many requests of a batch are under way. Nobody names a number: requests are added as long as instances take them,
 * a few more stand before the door, so that a place is taken as soon as it comes free, and one that a new instance offers
 * too. Where a server says that it has too much to do, half as many follow, and one more each time as many have ended.
 */
export class Flow {
  readonly #limit: number;
  #cap = Number.POSITIVE_INFINITY;
  #placed = 0;
  #seeking = 0;

  constructor(limit: number | undefined) {
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
  }

  /** Requests that are with an instance. */
  get placed(): number {
    return this.#placed;
  }

  /** Whether one more should be sent on its way. */
  get hungry(): boolean {
    if (this.#placed + this.#seeking >= Math.min(this.#limit, this.#cap)) return false;
    const before = Math.min(MOST_SEEKING, Math.max(LEAST_SEEKING, Math.ceil(this.#placed / SEEKING_SHARE)));
    return this.#seeking < before;
  }

  /** One more is on its way. */
  started(): void {
    this.#seeking += 1;
  }

  /** It has got to an instance. */
  arrived(): void {
    this.#seeking -= 1;
    this.#placed += 1;
  }

  /** It has left the instance, and looks for one again unless it has ended. */
  left(): void {
    this.#placed -= 1;
    this.#seeking += 1;
  }

  ended(answered: boolean): void {
    this.#seeking -= 1;
    if (answered) this.#cap += 1 / this.#cap;
  }

  overloaded(): void {
    this.#cap = Math.max(1, Math.floor(Math.min(this.#cap, this.#placed + 1) / 2));
  }
}
