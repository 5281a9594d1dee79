/** A message: its frames. */
export type Frames = (string | Uint8Array)[];

/** What an outbox needs of a socket. */
export interface Sender {
  send(message: (string | Uint8Array)[]): Promise<void>;
}

/**
 * Sends one message after the other: a socket takes one at a time. The first goes out in the same turn of the event loop
 * in which it is given.
 */
export class Outbox {
  readonly #socket: Sender;
  readonly #onFailure: (error: unknown, message: Frames) => void;
  #waiting: Frames[] = [];
  #busy = false;

  /** @param onFailure - called for each message that could not be sent; the others still go */
  constructor(socket: Sender, onFailure: (error: unknown, message: Frames) => void) {
    this.#socket = socket;
    this.#onFailure = onFailure;
  }

  send(message: Frames): void {
    if (this.#busy) this.#waiting.push(message);
    else void this.#run(message);
  }

  async #run(first: Frames): Promise<void> {
    this.#busy = true;
    let next: Frames | undefined = first;
    let at = 0;
    while (next !== undefined) {
      try {
        await this.#socket.send(next);
      } catch (error) {
        this.#onFailure(error, next);
      }
      next = this.#waiting[at];
      at += 1;
      // A long line is cut now and then; shifting it each time would move all of it.
      if (at === 1024) {
        this.#waiting = this.#waiting.slice(at);
        at = 0;
      }
    }
    this.#waiting = [];
    this.#busy = false;
  }

  /** Whether everything given so far has been sent. */
  get idle(): boolean {
    return !this.#busy;
  }
}
