/** How long something found is taken for granted, and something missing is not looked for again. */
const FOUND_MS = 10_000;
const MISSING_MS = 3000;

interface Known<T> {
  readonly at: number;
  readonly value: Promise<T>;
  done: { readonly value: T } | { readonly error: unknown } | undefined;
}

/**
 * Checks that are made once for many tasks: a thousand tasks that name an environment that is not there fail by one look
 * at the file system, and with one and the same error.
 */
export class Remembered<T> {
  readonly #known = new Map<string, Known<T>>();

  /** The answer of the last look, at once where there is one. @throws what the look threw, again and again for a while */
  get(key: string, look: () => Promise<T>): T | Promise<T> {
    const now = performance.now();
    const known = this.#known.get(key);
    if (known !== undefined) {
      if (known.done === undefined) return known.value;
      const failed = 'error' in known.done;
      if (now - known.at < (failed ? MISSING_MS : FOUND_MS)) {
        if ('error' in known.done) throw known.done.error;
        return known.done.value;
      }
    }
    if (this.#known.size > 1000) this.#forgetOld(now);
    const made: Known<T> = { at: now, value: look(), done: undefined };
    made.value.then(
      (value) => {
        made.done = { value };
      },
      (error: unknown) => {
        made.done = { error };
      },
    );
    this.#known.set(key, made);
    return made.value;
  }

  #forgetOld(now: number): void {
    for (const [key, { at, done }] of this.#known)
      if (done !== undefined && now - at > FOUND_MS) this.#known.delete(key);
  }
}
