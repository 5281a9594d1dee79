/**
 * Lets one call per key run at a time, and gives those that come meanwhile the same outcome: a submit repeated while the
 * first is still being written must not make a second thing.
 */
export class Once<T> {
  readonly #running = new Map<string, Promise<T>>();

  run(key: string, step: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = step().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}

/** Lets the calls of one key run one after the other. */
export class Sequence {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string, step: () => Promise<T>): Promise<T> {
    const previous = this.#last.get(key) ?? Promise.resolve();
    const next = previous.then(step, step);
    this.#last.set(key, next);
    const done = (): void => {
      if (this.#last.get(key) === next) this.#last.delete(key);
    };
    next.then(done, done);
    return next;
  }
}
