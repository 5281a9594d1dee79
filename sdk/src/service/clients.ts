import { createHash, timingSafeEqual } from 'node:crypto';
import type { TakenCall } from './call.js';

/** Somebody who has said hello. */
export interface Client {
  /** Its routing id. */
  readonly address: Buffer;
  /** What it has asked for and has no answer to, by number. */
  readonly calls: Map<number, TakenCall>;
}

/** Who has said hello, with what they have asked for. */
export class Clients {
  readonly #token: Buffer;
  readonly #clients = new Map<string, Client>();

  constructor(token: string) {
    this.#token = digest(token);
  }

  /** Whether the token is right; then the client is known from now on. */
  greet(address: Buffer, token: string): boolean {
    if (!timingSafeEqual(digest(token), this.#token)) return false;
    const name = nameOf(address);
    if (!this.#clients.has(name)) this.#clients.set(name, { address, calls: new Map() });
    return true;
  }

  /** undefined: it has not said hello. */
  of(address: Buffer): Client | undefined {
    return this.#clients.get(nameOf(address));
  }

  all(): Iterable<Client> {
    return this.#clients.values();
  }

  /** It has gone. */
  forget(address: Buffer): void {
    this.#clients.delete(nameOf(address));
  }
}

/** Routing ids are bytes; as text they are keys of maps. */
function nameOf(address: Buffer): string {
  return address.toString('latin1');
}

/** Of one length, whatever was sent: comparing takes the same time for all. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
