import type { Client } from './clients.js';
import type { Work } from './work-queue.js';

/** One call that a service has taken. */
export class TakenCall implements Work {
  readonly arrived = performance.now();
  started: number | undefined;
  /** Made when somebody asks for it: most handlers do not, and it costs more than the rest of a short call. */
  #abort: AbortController | undefined;
  #canceled: unknown;
  canceled = false;
  #credits: number;
  #more: (() => void) | undefined;
  #sent = 0;

  /** @param client - who asked; @param credits - pieces it takes ahead; 0: none, only the value */
  constructor(
    readonly client: Client,
    readonly id: number,
    readonly method: string,
    readonly input: unknown,
    credits: number,
  ) {
    this.#credits = credits;
    this.streams = credits > 0;
  }

  /** Whether the answer may come in pieces. */
  readonly streams: boolean;

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.canceled) this.#abort.abort(this.#canceled);
    }
    return this.#abort.signal;
  }

  cancel(reason: unknown): void {
    this.canceled = true;
    this.#canceled = reason;
    this.#abort?.abort(reason);
    this.#more?.();
  }

  grant(credits: number): void {
    this.#credits += credits;
    this.#more?.();
  }

  /** Number of the next piece, once the client takes one; undefined: it is canceled. */
  async nextPiece(): Promise<number | undefined> {
    while (this.#credits === 0 && !this.canceled) {
      await new Promise<void>((resolve) => {
        this.#more = resolve;
      });
      this.#more = undefined;
    }
    if (this.canceled) return undefined;
    this.#credits -= 1;
    this.#sent += 1;
    return this.#sent - 1;
  }

  /** Milliseconds that it waited and that it has been handled, until now. */
  timing(): { waited: number; ran: number } {
    const now = performance.now();
    const started = this.started ?? now;
    return { waited: rounded(started - this.arrived), ran: rounded(now - started) };
  }
}

/** To a microsecond: further digits only make messages longer. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
