import type { Demand, Grant, Kind } from './demand.js';
import type { Kept } from './keeping.js';
import { type Nodes, WHOLE } from './nodes.js';
import type { Shape } from './shape.js';
import type { Share } from './share.js';

/** Something that runs, with what it holds. */
export class Running implements Grant {
  readonly id: string;
  readonly kind: Kind;
  readonly shape: Shape;
  readonly nodes: readonly Share[];
  /** When it will have ended, in milliseconds since 1970; undefined: not known. */
  readonly until: number | undefined;
  /** The node, kept for somebody else, on which it was let in beside. */
  readonly beside: Kept | undefined;
  /** Its place in the ledger; -1: it has been given back. */
  place = -1;
  readonly #names: readonly string[];

  constructor(
    who: { readonly id: string; readonly kind: Kind; readonly until: number | undefined },
    shape: Shape,
    nodes: readonly Share[],
    names: readonly string[],
    beside: Kept | undefined,
  ) {
    this.id = who.id;
    this.kind = who.kind;
    this.until = who.until;
    this.shape = shape;
    this.nodes = nodes;
    this.#names = names;
    this.beside = beside;
  }

  get demand(): Demand {
    return this.shape.demand;
  }

  get gpus(): readonly string[] {
    return (this.nodes[0]?.gpus ?? []).map(({ index }) => this.#names[index] ?? String(index));
  }
}

/** Who runs, and what follows from it for each node. */
export class Ledger {
  readonly running: Running[] = [];
  /** What services hold for as long as the pilot is there; GPUs in hundredths, whole devices each. */
  readonly lastingCores: Int32Array;
  readonly lastingGpu: Int32Array;
  readonly lastingMemory: Float64Array;
  /** How many tasks on a node may run for any time, and when the last of the others will have ended. */
  readonly #endless: Int32Array;
  readonly #lastEnd: Float64Array;
  readonly #nodes: Nodes;
  #light = 0;
  #cores = 0;
  #gpu = 0;
  #memory = 0;

  constructor(nodes: Nodes) {
    this.#nodes = nodes;
    this.lastingCores = new Int32Array(nodes.count);
    this.lastingGpu = new Int32Array(nodes.count);
    this.lastingMemory = new Float64Array(nodes.count);
    this.#endless = new Int32Array(nodes.count);
    this.#lastEnd = new Float64Array(nodes.count);
  }

  /** How many run that take nothing. */
  get light(): number {
    return this.#light;
  }

  get used(): { readonly cores: number; readonly gpus: number; readonly memory: number } {
    return { cores: this.#cores, gpus: this.#gpu / WHOLE, memory: this.#memory };
  }

  add(one: Running): void {
    one.place = this.running.length;
    this.running.push(one);
    this.#count(one, 1);
    if (one.kind === 'service') return;
    for (const { node } of one.nodes) {
      if (one.until === undefined) this.#endless[node] = (this.#endless[node] ?? 0) + 1;
      else if (one.until > (this.#lastEnd[node] ?? 0)) this.#lastEnd[node] = one.until;
    }
  }

  /** Tells whether it was there. */
  remove(one: Running): boolean {
    if (one.place < 0 || this.running[one.place] !== one) return false;
    const last = this.running.pop();
    if (last !== undefined && last !== one) {
      this.running[one.place] = last;
      last.place = one.place;
    }
    one.place = -1;
    this.#count(one, -1);
    if (one.kind === 'service') return true;
    for (const { node } of one.nodes) {
      if (one.until === undefined) this.#endless[node] = (this.#endless[node] ?? 0) - 1;
      if ((this.#nodes.grants[node] ?? 0) === 0) this.#lastEnd[node] = 0;
    }
    return true;
  }

  /** When all tasks on a node will have ended, in milliseconds since 1970; Infinity: not known. */
  emptyAt(node: number): number {
    return (this.#endless[node] ?? 0) > 0 ? Number.POSITIVE_INFINITY : (this.#lastEnd[node] ?? 0);
  }

  #count(one: Running, sign: 1 | -1): void {
    if (one.shape.light) this.#light += sign;
    for (const { node, coreCount, gpu, memory, devices } of one.nodes) {
      this.#cores += sign * coreCount;
      this.#gpu += sign * gpu;
      this.#memory += sign * memory;
      if (one.kind === 'task') continue;
      this.lastingCores[node] = (this.lastingCores[node] ?? 0) + sign * coreCount;
      this.lastingMemory[node] = (this.lastingMemory[node] ?? 0) + sign * memory;
      this.lastingGpu[node] = (this.lastingGpu[node] ?? 0) + sign * WHOLE * devices.length;
    }
  }
}
