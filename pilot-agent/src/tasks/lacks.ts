import type { Demand } from '../scheduler/demand.js';
import type { Lack } from '../scheduler/impossible.js';
import type { Pool } from '../scheduler/pool.js';

/** What the pilot lacks for demands, found once for all tasks that share one. */
export class Lacks {
  readonly #pool: Pool;
  readonly #known = new WeakMap<Demand, { readonly lack: Lack | undefined }>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  of(demand: Demand): Lack | undefined {
    let known = this.#known.get(demand);
    if (known === undefined) {
      known = { lack: this.#pool.impossible(demand) };
      this.#known.set(demand, known);
    }
    return known.lack;
  }
}
