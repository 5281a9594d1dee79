/** Gathers marks and hands them over together, at most once per interval; costs nothing while nothing is marked. */
export class Throttle<K> {
  readonly #interval: number;
  readonly #flush: (marked: ReadonlySet<K>) => void;
  #marked = new Set<K>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param interval - milliseconds between a first mark and the flush that carries it */
  constructor(interval: number, flush: (marked: ReadonlySet<K>) => void) {
    this.#interval = interval;
    this.#flush = flush;
  }

  mark(key: K): void {
    if (this.#closed) return;
    this.#marked.add(key);
    this.#timer ??= setTimeout(() => this.now(), this.#interval).unref();
  }

  /** Takes a mark back. */
  unmark(key: K): void {
    this.#marked.delete(key);
  }

  /** Forgets what has been marked, and what still comes. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#marked.clear();
  }

  /** Hands over at once what has been marked. */
  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#marked.size === 0) return;
    const marked = this.#marked;
    this.#marked = new Set();
    this.#flush(marked);
  }
}
