// Counts for itself what every node holds, and notes whatever must not be.

import { NODE } from './mix.mjs';

/** Watches grants and releases. */
export class Checker {
  violations = [];
  #cores;
  #memory;
  #devices;
  #begun = new Map();
  #count = 0;
  #kept;

  constructor(nodes) {
    this.#cores = new Int32Array(nodes);
    this.#memory = new Float64Array(nodes);
    this.#devices = new Int32Array(nodes * NODE.gpus.length);
  }

  granted({ id, demand }, grant) {
    if (this.#begun.has(id)) this.#note(`${id} was granted twice`);
    this.#begun.set(id, this.#count);
    this.#count += 1;
    const slots = grant.nodes.reduce((sum, share) => sum + share.slots, 0);
    if (slots !== (demand.slots ?? demand.nodes ?? 1)) this.#note(`${id} got ${slots} slots`);
    for (const share of grant.nodes) this.#add(id, demand, share, 1);
  }

  released(id, demand, grant) {
    for (const share of grant.nodes) this.#add(id, demand, share, -1);
    const begun = this.#begun.get(id);
    this.#begun.delete(id);
    if (this.#kept && begun < this.#kept.at) this.#kept.left -= 1;
  }

  /** Whoever nodes are kept for must run at the latest when all has ended that ran when they were first kept. */
  keptFor(id) {
    if (id !== this.#kept?.id) {
      this.#kept = id === undefined ? undefined : { id, at: this.#count, left: this.#begun.size };
    } else if (this.#kept?.left === 0) {
      this.#note(`${id} still waits although all has ended that was before it`);
      this.#kept = undefined;
    }
  }

  ended(waiting) {
    if (waiting > 0) this.#note(`${waiting} were never started`);
  }

  #add(id, demand, share, sign) {
    const { node } = share;
    const cores = share.cores.length;
    if (cores !== demand.cores * share.slots) this.#note(`${id} got ${cores} cores on node ${node}`);
    this.#cores[node] += sign * cores;
    this.#memory[node] += sign * share.memory;
    let parts = 0;
    for (const { index, part } of share.gpus) {
      const device = node * NODE.gpus.length + index;
      this.#devices[device] += sign * Math.round(part * 100);
      parts += Math.round(part * 100);
      if (this.#devices[device] > 100) this.#note(`GPU ${index} of node ${node} is over full with ${id}`);
    }
    if (parts !== Math.round(demand.gpus * 100) * share.slots) this.#note(`${id} got ${parts} hundredths of GPUs`);
    if (this.#cores[node] > NODE.cores) this.#note(`node ${node} is short of cores with ${id}`);
    if (this.#memory[node] > NODE.memory) this.#note(`node ${node} is short of memory with ${id}`);
  }

  #note(text) {
    this.violations.push(text);
  }
}
