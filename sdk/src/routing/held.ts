import type { Seat } from './seat.js';
import type { Candidate, Grant } from './types.js';

/** How a request ended. */
export type End =
  | { readonly kind: 'succeeded'; readonly total: number }
  | { readonly kind: 'failed'; readonly why: string; readonly refused: boolean }
  | { readonly kind: 'dropped' };

const DROPPED: End = { kind: 'dropped' };

/** A place that is held; the first word about its end gives it back. */
export class Held implements Grant {
  readonly candidate: Candidate;
  #giveBack: ((end: End) => void) | undefined;

  constructor(seat: Seat, giveBack: (end: End) => void) {
    this.candidate = seat.candidate;
    this.#giveBack = giveBack;
  }

  succeeded(total: number): void {
    this.#end({ kind: 'succeeded', total });
  }

  failed(why: string, refused: boolean): void {
    this.#end({ kind: 'failed', why, refused });
  }

  dropped(): void {
    this.#end(DROPPED);
  }

  #end(end: End): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.(end);
  }
}
