import { Pool } from 'undici';

/** Milliseconds in which a connection must be there. */
export const CONNECT_TIMEOUT = 10_000;
/** Milliseconds that a connection stays open without a request: less than servers wait before they close it. */
const KEEP_ALIVE = 4_000;
/** Addresses whose connections are kept; with more, those that nothing uses are closed. */
const MAX_POOLS = 256;

/** The way to one address. */
export interface Way {
  readonly pool: Pool;
  /** Path that stands before that of a request. */
  readonly base: string;
  /** The same for requests of OpenAI's API: an address with a path is its base, one without gets `/v1`. */
  readonly openAiBase: string;
}

/** Connections to instances, kept open between requests, one set per address. TLS is 1.3 and verified. */
export class Pools {
  readonly #pools = new Map<string, Pool>();
  readonly #ways = new Map<string, Way>();

  /** @param address - `http://127.0.0.1:41233`, or with a path behind it */
  to(address: string): Way {
    const known = this.#ways.get(address);
    if (known !== undefined) return known;
    if (this.#pools.size >= MAX_POOLS) this.#sweep();
    const { origin, pathname } = new URL(address);
    let pool = this.#pools.get(origin);
    if (pool === undefined) {
      pool = makePool(origin);
      this.#pools.set(origin, pool);
    }
    const bare = pathname === '/';
    const base = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
    const way = { pool, base, openAiBase: bare && !address.endsWith('/') ? '/v1' : base };
    this.#ways.set(address, way);
    return way;
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    this.#ways.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  #sweep(): void {
    for (const [origin, pool] of this.#pools) {
      const { running, pending, queued } = pool.stats;
      if (running + pending + queued > 0) continue;
      this.#pools.delete(origin);
      for (const [address, way] of this.#ways) if (way.pool === pool) this.#ways.delete(address);
      pool.destroy().catch(() => undefined);
    }
  }
}

function makePool(origin: string): Pool {
  return new Pool(origin, {
    connections: null,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE,
    // A client that does not exist any more must not keep its object for ever: addresses come and go.
    clientTtl: 60_000,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_TIMEOUT, minVersion: 'TLSv1.3' },
  });
}
