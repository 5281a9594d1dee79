import { createHash, timingSafeEqual } from 'node:crypto';
import type { TakenCall } from './call.js';

/** Who has said hello, with what they have asked for. */
export class Clients {
  readonly #token: Buffer;
  readonly #calls = new Map<string, Map<number, TakenCall>>();

  constructor(token: string) {
    this.#token = digest(token);
  }

  /** Whether the token is right; then the client is known from now on. */
  greet(client: string, token: string): boolean {
    if (!timingSafeEqual(digest(token), this.#token)) return false;
    if (!this.#calls.has(client)) this.#calls.set(client, new Map());
    return true;
  }

  /** Calls of a client; undefined: it has not said hello. */
  of(client: string): Map<number, TakenCall> | undefined {
    return this.#calls.get(client);
  }

  all(): Iterable<[client: string, calls: Map<number, TakenCall>]> {
    return this.#calls;
  }

  /** It has gone. */
  forget(client: string): void {
    this.#calls.delete(client);
  }
}

/** Of one length, whatever was sent: comparing takes the same time for all. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
