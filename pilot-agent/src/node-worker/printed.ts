import { inspect } from 'node:util';

/** Characters of each stream that are kept, the last ones. */
const KEPT = 64 * 1024;

/** What calls print to one of the two streams. */
export class Printed {
  #text = '';
  #dropped = 0;

  /** Takes over what is written to a stream of this process. */
  constructor(stream: NodeJS.WriteStream) {
    stream.write = (chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
      this.#add(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
      const done = rest.at(-1);
      if (typeof done === 'function') queueMicrotask(() => done());
      return true;
    };
  }

  /** What was written since the last time. */
  take(): string {
    const dropped = this.#dropped + Math.max(0, this.#text.length - KEPT);
    const text = this.#text.slice(-KEPT);
    this.#text = '';
    this.#dropped = 0;
    return dropped > 0 ? `[${dropped} characters left out]\n${text}` : text;
  }

  #add(text: string): void {
    this.#text += text;
    if (this.#text.length <= 2 * KEPT) return;
    this.#dropped += this.#text.length - KEPT;
    this.#text = this.#text.slice(-KEPT);
  }
}

/** Something that was thrown, in words: not everything that is thrown is an error. */
export function inWords(thrown: unknown): {
  readonly type: string;
  readonly message: string;
  readonly traceback: string;
} {
  if (!(thrown instanceof Error)) {
    const text = inspect(thrown);
    return { type: typeof thrown, message: text, traceback: text };
  }
  // The frames of the worker itself say nothing to its user.
  const stack = inspect(thrown)
    .split('\n')
    .filter((line) => !line.includes('/node-worker/'))
    .join('\n');
  const type = thrown.constructor.name === 'Error' ? thrown.name : thrown.constructor.name;
  return { type, message: thrown.message.slice(0, KEPT / 8), traceback: stack.slice(-KEPT) };
}
