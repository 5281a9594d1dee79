import { PilothouseError } from '@pilothouse/sdk/internal';
import { Wakeup } from './wakeup.js';

/** Batches that a client still takes on one stream. */
export class Credit {
  readonly #wakeup = new Wakeup();
  #left: number;

  constructor(credits: number) {
    this.#left = credits;
  }

  grant(credits: number): void {
    this.#left += credits;
    this.#wakeup.wake();
  }

  /** Takes one credit, waiting until there is one. */
  async take(signal: AbortSignal): Promise<void> {
    while (this.#left <= 0) await this.#wakeup.wait(signal);
    this.#left -= 1;
  }
}

/** The streams of one connection that count credits, by the name the client gave them. */
export class Credits {
  readonly #open = new Map<string, Credit>();

  /** Starts counting for a stream; the name must be new on this connection. */
  open(sub: string, credits: number): Credit {
    if (this.#open.has(sub)) {
      throw new PilothouseError('INVALID_DESCRIPTION', `a stream "${sub}" is open on this connection already`, {
        hint: 'Give every stream a name of its own.',
        field: 'sub',
      });
    }
    const credit = new Credit(credits);
    this.#open.set(sub, credit);
    return credit;
  }

  close(sub: string): void {
    this.#open.delete(sub);
  }

  /** Allows more batches. For a stream that has just ended there is nothing to do: the grant was under way already. */
  grant(sub: string, credits: number): void {
    this.#open.get(sub)?.grant(credits);
  }
}
