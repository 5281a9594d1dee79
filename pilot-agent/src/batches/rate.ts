/** The rate is taken over this long, in milliseconds. */
const WINDOW_MS = 30_000;
const STEP_MS = 500;

/** Rows per second over the last half minute. */
export class Rate {
  readonly #now: () => number;
  #marks: { at: number; count: number }[] = [];
  #count = 0;

  /** @param now - milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#marks.push({ at: now(), count: 0 });
  }

  add(rows: number): void {
    this.#count += rows;
    const at = this.#now();
    const last = this.#marks.at(-1);
    if (last === undefined || at - last.at >= STEP_MS) this.#marks.push({ at, count: this.#count });
    else if (this.#marks.length > 1) last.count = this.#count;
    this.#cut(at);
  }

  /** null: too early to say. */
  get perSecond(): number | null {
    const at = this.#now();
    this.#cut(at);
    const first = this.#marks[0];
    if (first === undefined || at - first.at < STEP_MS) return null;
    return ((this.#count - first.count) * 1000) / (at - first.at);
  }

  #cut(at: number): void {
    // The one before the window stays: it says how many there were when the window began.
    while (this.#marks.length > 1 && (this.#marks[1]?.at ?? at) < at - WINDOW_MS) this.#marks.shift();
  }
}
