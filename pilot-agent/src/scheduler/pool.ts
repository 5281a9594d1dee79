import { formatBytes } from '@pilothouse/sdk/shared';
import type { Capacity, Demand, Grant } from './demand.js';

export type { Demand, Grant } from './demand.js';

/** What is short, in words. */
export interface Shortage {
  readonly code: 'WAITS_FOR_CORES' | 'WAITS_FOR_GPUS' | 'WAITS_FOR_MEMORY' | 'WAITS_FOR_ROOM';
  readonly text: string;
}

/**
 * How many that take nothing may run at once. They mostly wait, so many fit on a core; without a bound a large set of them
 * would take all the processes and memory that the node has.
 */
function roomFor(cores: number): number {
  return 64 + 32 * cores;
}

/** The cores, GPUs and memory of a pilot. Never grants more than there is. */
export class Pool {
  readonly capacity: Capacity;
  #cores = 0;
  #memory = 0;
  #light = 0;
  #freeGpus: string[];

  constructor(capacity: Capacity) {
    this.capacity = capacity;
    this.#freeGpus = [...capacity.gpus];
  }

  get used(): { readonly cores: number; readonly gpus: number; readonly memory: number } {
    return { cores: this.#cores, gpus: this.capacity.gpus.length - this.#freeGpus.length, memory: this.#memory };
  }

  /** Whether a demand takes nothing of what there is only so much of, such as a task that asks services and waits. */
  isLight({ cores, gpus, memory }: Demand): boolean {
    return cores === 0 && gpus === 0 && (this.capacity.memory === null || (memory ?? 0) === 0);
  }

  /** What is short for this demand now; undefined: nothing. */
  shortage(demand: Demand): Shortage | undefined {
    const { capacity } = this;
    if (demand.cores > capacity.cores - this.#cores) {
      return {
        code: 'WAITS_FOR_CORES',
        text: `waits for ${count(demand.cores, 'core')}; ${this.#cores} of ${capacity.cores} busy`,
      };
    }
    if (demand.gpus > this.#freeGpus.length) {
      const busy = capacity.gpus.length - this.#freeGpus.length;
      return {
        code: 'WAITS_FOR_GPUS',
        text: `waits for ${count(demand.gpus, 'GPU')}; ${busy} of ${capacity.gpus.length} busy`,
      };
    }
    if (capacity.memory !== null && (demand.memory ?? 0) > capacity.memory - this.#memory) {
      const text = `waits for ${formatBytes(demand.memory ?? 0)}; ${formatBytes(this.#memory)} of ${formatBytes(capacity.memory)} busy`;
      return { code: 'WAITS_FOR_MEMORY', text };
    }
    if (this.isLight(demand) && this.#light >= roomFor(capacity.cores)) {
      const text = `waits for another to end; ${this.#light} without a core of their own run already`;
      return { code: 'WAITS_FOR_ROOM', text };
    }
    return undefined;
  }

  /** What the pilot lacks for this demand even when it is empty; undefined: it can be met. */
  impossible(demand: Demand): { readonly field: string; readonly text: string } | undefined {
    const { capacity } = this;
    if (demand.cores > capacity.cores) {
      return { field: 'cores', text: `needs ${count(demand.cores, 'core')}, the pilot has ${capacity.cores}` };
    }
    if (demand.gpus > capacity.gpus.length) {
      return { field: 'gpus', text: `needs ${count(demand.gpus, 'GPU')}, the pilot has ${capacity.gpus.length}` };
    }
    if (capacity.memory !== null && (demand.memory ?? 0) > capacity.memory) {
      const text = `needs ${formatBytes(demand.memory ?? 0)} of memory, the pilot has ${formatBytes(capacity.memory)}`;
      return { field: 'memory', text };
    }
    return undefined;
  }

  /** Grants a demand that nothing is short for. */
  take(demand: Demand, id = ''): Grant {
    const shortage = this.shortage(demand);
    if (shortage) throw new RangeError(`granted although it ${shortage.text}`);
    return this.#grant(demand, id);
  }

  /**
   * Books what runs already, as after a restart of the agent. It was granted before, so it fits.
   *
   * @param gpus - names of the GPUs it has
   */
  book(demand: Demand, gpus: readonly string[] = [], id = ''): Grant {
    const own = new Set(gpus);
    // Its own come first, so that they are the ones taken.
    this.#freeGpus = [
      ...this.#freeGpus.filter((name) => own.has(name)),
      ...this.#freeGpus.filter((name) => !own.has(name)),
    ];
    return this.#grant(demand, id);
  }

  give({ demand, gpus }: Grant): void {
    this.#cores -= demand.cores;
    if (this.isLight(demand)) this.#light -= 1;
    this.#memory -= demand.memory ?? 0;
    this.#freeGpus.push(...gpus);
  }

  #grant(demand: Demand, id: string): Grant {
    this.#cores += demand.cores;
    if (this.isLight(demand)) this.#light += 1;
    this.#memory += demand.memory ?? 0;
    const gpus = this.#freeGpus.splice(0, demand.gpus);
    const shares = gpus.map((name) => ({ index: this.capacity.gpus.indexOf(name), part: 1 }));
    const share = { node: 0, slots: 1, cores: [], gpus: shares, memory: demand.memory ?? 0 };
    return { id, demand, nodes: [share], gpus };
  }
}

function count(amount: number, thing: string): string {
  return `${amount} ${thing}${amount === 1 ? '' : 's'}`;
}
