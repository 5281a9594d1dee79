import type { Capacity, Demand } from './demand.js';
import type { Line } from './lines.js';

/** A demand in the numbers that are compared all day; equal demands share one. */
export interface Shape {
  readonly key: string;
  readonly demand: Demand;
  /** Of one slot. */
  readonly cores: number;
  /** Hundredths of a GPU. */
  readonly gpu: number;
  /** bytes */
  readonly memory: number;
  /** It takes nothing that there is only so much of. */
  readonly light: boolean;
  readonly slots: number;
  /** Exactly so many nodes; 0: as few as they fit on. */
  readonly nodes: number;
  /** Slots on each of its nodes, where their number is given; else 0. */
  readonly perNode: number;
  readonly tags: readonly string[];
  readonly near: readonly string[];
  readonly apart: readonly string[];
  /** Number of the last growth of a node that it was tried after, and did not fit; -1: not known. */
  failedAt: number;
  /** Its queues, by kind and priority. */
  readonly lines: Map<number, Line>;
}

const NONE: readonly string[] = [];
/** Shapes that nothing waits with are kept for a while; this many of all together. */
const KEPT = 4096;

/** All shapes of a pilot. */
export class Shapes {
  readonly #byKey = new Map<string, Shape>();
  readonly #memoryCounts: boolean;

  constructor(nodes: readonly Capacity[]) {
    this.#memoryCounts = nodes.some(({ memory }) => memory !== null);
  }

  of(demand: Demand): Shape {
    const { cores, gpus, memory, slots, nodes, tags = NONE, near = NONE, apart = NONE } = demand;
    const worded = tags.length + near.length + apart.length > 0 ? JSON.stringify([tags, near, apart]) : '';
    const key = `${cores}|${gpus}|${memory ?? 0}|${slots ?? 0}|${nodes ?? 0}|${worded}`;
    const known = this.#byKey.get(key);
    if (known) return known;
    if (this.#byKey.size >= KEPT) this.#byKey.clear();
    const count = Math.max(slots ?? nodes ?? 1, nodes ?? 1);
    const gpu = Math.round(gpus * 100);
    const shape: Shape = {
      key,
      // Not the demand itself: it may be a whole description, and would be held as long as the shape is.
      demand: { cores, gpus, memory, slots, nodes, tags, near, apart },
      cores,
      gpu,
      memory: memory ?? 0,
      light: cores === 0 && gpu === 0 && (!this.#memoryCounts || (memory ?? 0) === 0),
      slots: count,
      nodes: count === 1 ? 0 : (nodes ?? 0),
      perNode: nodes === undefined || count === 1 ? 0 : Math.ceil(count / nodes),
      tags,
      near,
      apart,
      failedAt: -1,
      lines: new Map(),
    };
    this.#byKey.set(key, shape);
    return shape;
  }
}
