import type { Observable } from 'rxjs';
import { PilothouseError } from '../../errors/index.js';

/** What happens when values come faster than they are taken. */
export interface AsyncIterableOptions {
  readonly signal?: AbortSignal | undefined;
  /** Values that may wait; default 256. */
  readonly buffer?: number | undefined;
  /** `drop-oldest` (default) keeps the latest and counts what it drops; `error` ends with BUFFER_OVERFLOW. */
  readonly overflow?: 'drop-oldest' | 'error' | undefined;
}

/** An async iterable that tells how it keeps up. */
export interface CountedIterable<T> extends AsyncIterableIterator<T> {
  /** Values handed out. */
  readonly taken: number;
  /** Values that wait. */
  readonly waiting: number;
  /** Values lost because they came faster than they were taken. */
  readonly dropped: number;
  return(): Promise<IteratorResult<T>>;
  [Symbol.asyncIterator](): CountedIterable<T>;
}

/**
 * Reads an observable with `for await`. RxJS has no back-pressure, so the queue between is bounded. Leaving the loop
 * unsubscribes.
 *
 * @throws PilothouseError BUFFER_OVERFLOW where `overflow` is `error`; the observable's own error; the signal's reason
 * @example
 * ```ts
 * for await (const { pilots } of toAsyncIterable(session.picture$, { buffer: 1 })) {
 *   if (pilots.some(({ state }) => state === 'ACTIVE')) break;
 * }
 * ```
 */
export function toAsyncIterable<T>(source: Observable<T>, options: AsyncIterableOptions = {}): CountedIterable<T> {
  return new ObservableIterator(source, options);
}

class ObservableIterator<T> implements CountedIterable<T> {
  readonly #source: Observable<T>;
  readonly #limit: number;
  readonly #overflow: 'drop-oldest' | 'error';
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#finish({ error: this.#signal?.reason }, true);
  #queue: { readonly value: T }[] = [];
  #takers: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }[] = [];
  #end: { readonly error?: unknown } | null = null;
  #unsubscribe: (() => void) | null = null;
  #taken = 0;
  #dropped = 0;

  constructor(source: Observable<T>, { signal, buffer = 256, overflow = 'drop-oldest' }: AsyncIterableOptions) {
    if (!Number.isInteger(buffer) || buffer < 1)
      throw new RangeError(`buffer: ${buffer} is not a whole number above 0`);
    this.#source = source;
    this.#limit = buffer;
    this.#overflow = overflow;
    this.#signal = signal;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  get dropped(): number {
    return this.#dropped;
  }

  next(): Promise<IteratorResult<T>> {
    this.#start();
    const first = this.#queue.shift();
    if (first) {
      this.#taken += 1;
      return Promise.resolve({ value: first.value, done: false });
    }
    if (this.#end) return this.#ending(this.#end);
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  async return(): Promise<IteratorResult<T>> {
    this.#finish({}, true);
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): CountedIterable<T> {
    return this;
  }

  #start(): void {
    if (this.#unsubscribe || this.#end) return;
    if (this.#signal?.aborted) {
      this.#onAbort();
      return;
    }
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#unsubscribe = () => undefined;
    const subscription = this.#source.subscribe({
      next: (value) => this.#push(value),
      error: (error: unknown) => this.#finish({ error }, false),
      complete: () => this.#finish({}, false),
    });
    this.#unsubscribe = () => subscription.unsubscribe();
    if (this.#end) subscription.unsubscribe();
  }

  #push(value: T): void {
    if (this.#end) return;
    const taker = this.#takers.shift();
    if (taker) {
      this.#taken += 1;
      taker.resolve({ value, done: false });
      return;
    }
    if (this.#queue.length === this.#limit) {
      if (this.#overflow === 'error') {
        const error = new PilothouseError('BUFFER_OVERFLOW', `More than ${this.#limit} values waited to be read.`, {
          hint: 'Read faster, allow a larger buffer, or use overflow: "drop-oldest".',
        });
        this.#finish({ error }, false);
        return;
      }
      this.#queue.shift();
      this.#dropped += 1;
    }
    this.#queue.push({ value });
  }

  /** @param discard - whether what still waits is thrown away (the reader left) or handed out first */
  #finish(end: { readonly error?: unknown }, discard: boolean): void {
    if (discard) this.#queue = [];
    if (this.#end) return;
    this.#end = end;
    this.#unsubscribe?.();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    for (const taker of this.#takers.splice(0)) {
      if ('error' in end) taker.reject(end.error);
      else taker.resolve({ value: undefined, done: true });
    }
  }

  /** An error is thrown once; afterwards the iteration is over, as with any iterator. */
  #ending(end: { readonly error?: unknown }): Promise<IteratorResult<T>> {
    if (!('error' in end)) return Promise.resolve({ value: undefined, done: true });
    this.#end = {};
    return Promise.reject(end.error);
  }
}
