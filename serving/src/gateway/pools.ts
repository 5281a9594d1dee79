import { Pool } from 'undici';

/** Milliseconds in which a connection must be there. */
export const CONNECT_TIMEOUT = 10_000;
/** Milliseconds that a connection stays open without a request: less than servers wait before they close it. */
const KEEP_ALIVE = 4_000;
/** Addresses whose connections are kept; with more, those that nothing uses are closed. */
const MAX_POOLS = 256;

/** Connections to instances, kept open between requests, one set per address. TLS is 1.3 and verified. */
export class Pools {
  readonly #pools = new Map<string, Pool>();

  /** @param origin - `http://127.0.0.1:41233` */
  to(origin: string): Pool {
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      if (this.#pools.size >= MAX_POOLS) this.#sweep();
      pool = new Pool(origin, {
        connections: null,
        pipelining: 1,
        keepAliveTimeout: KEEP_ALIVE,
        // A client that does not exist any more must not keep its object for ever: addresses come and go.
        clientTtl: 60_000,
        headersTimeout: 0,
        bodyTimeout: 0,
        connect: { timeout: CONNECT_TIMEOUT, minVersion: 'TLSv1.3' },
      });
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #sweep(): void {
    for (const [origin, pool] of this.#pools) {
      const { running, pending, queued } = pool.stats;
      if (running + pending + queued > 0) continue;
      this.#pools.delete(origin);
      pool.destroy().catch(() => undefined);
    }
  }
}
