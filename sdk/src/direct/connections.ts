import { Connection, type Load } from './connection.js';
import type { Target } from './target.js';

/**
 * Open connections, one per instance: made when they are first needed, and anew after one was lost.
 */
export class Connections {
  readonly #open = new Map<string, Connection>();
  readonly #timeout: number | undefined;

  /** @param options - `timeout`: milliseconds that connecting may take, default 10 s */
  constructor({ timeout }: { timeout?: number | undefined } = {}) {
    this.#timeout = timeout;
  }

  /** The connection to an instance; calls may be made at once, they wait for it. */
  to(target: Target, onLoad?: (load: Load) => void): Connection {
    const key = `${target.address} ${target.serverKey} ${target.token}`;
    const open = this.#open.get(key);
    if (open?.usable === true) return open;
    const limits = this.#timeout === undefined ? {} : { timeout: this.#timeout };
    const made = new Connection(target, { ...limits, onLoad });
    this.#open.set(key, made);
    return made;
  }

  /** Closes those to instances that are gone. */
  keep(addresses: ReadonlySet<string>): void {
    for (const [key, connection] of this.#open) {
      if (addresses.has(connection.target.address)) continue;
      this.#open.delete(key);
      connection.close();
    }
  }

  /** Closes all; calls under way fail with CLOSED. */
  close(): void {
    this.keep(new Set());
  }
}
