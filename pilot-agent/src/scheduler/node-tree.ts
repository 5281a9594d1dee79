import type { Nodes } from './nodes.js';
import type { Shape } from './shape.js';

/**
 * Finds the first node that a slot fits on without looking at all of them: a complete binary tree over the nodes whose
 * inner places hold the most that is free below. Always the first, so that later nodes stay whole for what needs them whole.
 */
export class NodeTree {
  readonly #nodes: Nodes;
  readonly #leaves: number;
  readonly #cores: Int32Array;
  readonly #gpu: Int32Array;
  readonly #memory: Float64Array;
  readonly #rest: Uint8Array;
  readonly #aside: Uint8Array;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    let leaves = 1;
    while (leaves < nodes.count) leaves *= 2;
    this.#leaves = leaves;
    this.#cores = new Int32Array(2 * leaves).fill(-1);
    this.#gpu = new Int32Array(2 * leaves).fill(-1);
    this.#memory = new Float64Array(2 * leaves).fill(-1);
    this.#rest = new Uint8Array(2 * leaves);
    this.#aside = new Uint8Array(nodes.count);
    for (let node = 0; node < nodes.count; node += 1) this.update(node);
  }

  /** The most that is free on any node, dimension by dimension. */
  get most(): { readonly cores: number; readonly gpu: number; readonly memory: number } {
    return {
      cores: Math.max(0, this.#cores[1] ?? 0),
      gpu: Math.max(0, this.#gpu[1] ?? 0),
      memory: Math.max(0, this.#memory[1] ?? 0),
    };
  }

  /** Whether a node is kept for somebody, and so is not found. */
  isAside(node: number): boolean {
    return this.#aside[node] === 1;
  }

  setAside(node: number, aside: boolean): void {
    this.#aside[node] = aside ? 1 : 0;
    this.update(node);
  }

  /** Something was taken from the node, or given back. */
  update(node: number): void {
    let at = this.#leaves + node;
    const aside = this.#aside[node] === 1;
    this.#cores[at] = aside ? -1 : (this.#nodes.freeCores[node] ?? 0);
    this.#gpu[at] = aside ? -1 : (this.#nodes.freeGpu[node] ?? 0);
    this.#memory[at] = aside ? -1 : (this.#nodes.freeMemory[node] ?? 0);
    this.#rest[at] = aside ? 0 : (this.#nodes.rest[node] ?? 0);
    for (at >>= 1; at > 0; at >>= 1) {
      const left = at * 2;
      const cores = Math.max(this.#cores[left] ?? 0, this.#cores[left + 1] ?? 0);
      const gpu = Math.max(this.#gpu[left] ?? 0, this.#gpu[left + 1] ?? 0);
      const memory = Math.max(this.#memory[left] ?? 0, this.#memory[left + 1] ?? 0);
      const rest = Math.max(this.#rest[left] ?? 0, this.#rest[left + 1] ?? 0);
      if (cores === this.#cores[at] && gpu === this.#gpu[at] && memory === this.#memory[at] && rest === this.#rest[at])
        return;
      this.#cores[at] = cores;
      this.#gpu[at] = gpu;
      this.#memory[at] = memory;
      this.#rest[at] = rest;
    }
  }

  /**
   * The first node, after the one given, on which so many slots fit at least by cores and memory, and one by GPUs; -1: none.
   *
   * @param rest - hundredths that a device in use must have left at least
   */
  find({ cores, gpu, memory }: Shape, after = -1, slots = 1, rest = 0): number {
    const needCores = cores * slots;
    const needMemory = memory * slots;
    const needGpu = gpu % 100 === 0 ? gpu * slots : gpu;
    let at = after < 0 ? 1 : next(this.#leaves + after);
    while (at > 0) {
      if (
        needCores <= (this.#cores[at] ?? 0) &&
        needGpu <= (this.#gpu[at] ?? 0) &&
        needMemory <= (this.#memory[at] ?? 0) &&
        rest <= (this.#rest[at] ?? 0)
      ) {
        if (at >= this.#leaves) return at - this.#leaves;
        at *= 2;
      } else {
        at = next(at);
      }
    }
    return -1;
  }
}

/** The place that is looked at after everything below this one; 0: none. */
function next(at: number): number {
  let up = at;
  while ((up & 1) === 1) up >>= 1;
  return up === 0 ? 0 : up + 1;
}
