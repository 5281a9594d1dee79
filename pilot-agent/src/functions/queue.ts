import type { Call } from './call.js';

/** Calls that wait for a worker, first come first; what was taken back goes before the others. */
export class Queue {
  readonly #back: Call[] = [];
  readonly #calls: Call[] = [];
  #at = 0;
  #gone = 0;

  get size(): number {
    return this.#back.length + this.#calls.length - this.#at - this.#gone;
  }

  push(call: Call): void {
    this.#calls.push(call);
  }

  unshift(calls: readonly Call[]): void {
    for (const call of [...calls].reverse()) this.#back.push(call);
  }

  /** At most so many. */
  take(most: number): Call[] {
    const taken: Call[] = [];
    while (taken.length < most) {
      const call = this.#next();
      if (call === undefined) break;
      if (call.over) this.#gone -= 1;
      else taken.push(call);
    }
    return taken;
  }

  /** The first ones, which stay. */
  first(most: number): readonly Call[] {
    const rest = this.#calls.slice(this.#at, this.#at + most);
    return [...this.#back.slice(-most).reverse(), ...rest].slice(0, most).filter((call) => !call.over);
  }

  /** One that waited here has been ended: it is passed over when its turn comes. */
  left(): void {
    this.#gone += 1;
  }

  #next(): Call | undefined {
    const call = this.#back.pop() ?? this.#calls[this.#at];
    if (call === undefined) return undefined;
    if (call === this.#calls[this.#at]) {
      this.#at += 1;
      // What was taken is let go in large pieces: shifting each would move all.
      if (this.#at >= 1024 && this.#at * 2 > this.#calls.length) {
        this.#calls.splice(0, this.#at);
        this.#at = 0;
      }
    }
    return call;
  }
}
