/** One call that waits or is handled. */
export interface Work {
  readonly method: string;
  /** Milliseconds of the monotonic clock when it came. */
  readonly arrived: number;
}

/** How works of one method are put together. */
export interface Grouping {
  readonly max: number;
  /** Milliseconds. */
  readonly window: number;
}

interface Line<W extends Work> {
  readonly grouping: Grouping;
  waiting: W[];
}

/**
 * Who waits, who is next, and how many at a time. Methods share the places; whose first has waited longest goes first. Works
 * of one method go in groups where that is asked for: full ones at once, others when their window is over.
 */
export class WorkQueue<W extends Work> {
  readonly #concurrency: number;
  readonly #run: (group: W[]) => Promise<void> | undefined;
  readonly #lines = new Map<string, Line<W>>();
  #running = 0;
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #hurry = false;

  /** @param run - handles a group, at once (undefined) or later; must neither throw nor reject */
  constructor(
    concurrency: number,
    groupings: ReadonlyMap<string, Grouping>,
    run: (group: W[]) => Promise<void> | undefined,
  ) {
    this.#concurrency = concurrency;
    this.#run = run;
    for (const [method, grouping] of groupings) this.#lines.set(method, { grouping, waiting: [] });
  }

  /** Works that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether nothing waits and nothing is handled. */
  get idle(): boolean {
    return this.#waiting === 0 && this.#running === 0;
  }

  add(work: W): void {
    const line = this.#lines.get(work.method);
    // The common case: nobody waits, a place is free, and it goes alone.
    if (line?.grouping.max === 1 && this.#waiting === 0 && this.#running < this.#concurrency) {
      this.#start([work]);
      return;
    }
    line?.waiting.push(work);
    this.#waiting += 1;
    this.#next();
  }

  /** Takes one out that still waits; false: it is handled already. */
  remove(work: W): boolean {
    const line = this.#lines.get(work.method);
    const at = line?.waiting.indexOf(work) ?? -1;
    if (line === undefined || at === -1) return false;
    line.waiting.splice(at, 1);
    this.#waiting -= 1;
    return true;
  }

  /** Groups are no longer waited for: nothing more will come. */
  hurry(): void {
    this.#hurry = true;
    this.#next();
  }

  #next(): void {
    clearTimeout(this.#timer);
    while (this.#waiting > 0 && this.#running < this.#concurrency) {
      const now = performance.now();
      const [line, ripeIn] = this.#ripest(now);
      if (line === undefined) return;
      if (ripeIn > 0) {
        this.#timer = setTimeout(() => this.#next(), ripeIn);
        return;
      }
      const group = line.waiting.splice(0, line.grouping.max);
      this.#waiting -= group.length;
      this.#start(group);
    }
  }

  #start(group: W[]): void {
    this.#running += 1;
    const running = this.#run(group);
    if (running === undefined) this.#running -= 1;
    else void running.then(this.#ended);
  }

  readonly #ended = (): void => {
    this.#running -= 1;
    if (this.#waiting > 0) this.#next();
  };

  /** The line whose turn it is, and in how many milliseconds. */
  #ripest(now: number): [Line<W> | undefined, number] {
    let ripest: Line<W> | undefined;
    let soonest = Number.POSITIVE_INFINITY;
    let oldest = Number.POSITIVE_INFINITY;
    for (const line of this.#lines.values()) {
      const [first] = line.waiting;
      if (first === undefined) continue;
      const { max, window } = line.grouping;
      const ripe = this.#hurry || line.waiting.length >= max;
      const ripeIn = ripe ? 0 : Math.max(0, first.arrived + window - now);
      if (ripeIn > soonest || (ripeIn === soonest && first.arrived >= oldest)) continue;
      [ripest, soonest, oldest] = [line, ripeIn, first.arrived];
    }
    return [ripest, soonest];
  }
}
