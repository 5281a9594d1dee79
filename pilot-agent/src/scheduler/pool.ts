import type { Capacity, Claim, Demand, Place } from './demand.js';
import { Gangs } from './gangs.js';
import { type Lack, lackOf } from './impossible.js';
import type { Kept } from './keeping.js';
import { Ledger, Running } from './ledger.js';
import { NodeTree } from './node-tree.js';
import { Nodes } from './nodes.js';
import { type Shape, Shapes } from './shape.js';
import { Tags } from './tags.js';

export type { Capacity, Demand, Grant } from './demand.js';

/** So many slots on this node. */
export interface Spot {
  readonly node: number;
  readonly slots: number;
}

/** How many of the last growths are remembered; a shape that was tried before them is searched for anew. */
const REMEMBERED = 64;

/** The nodes of a pilot, and who runs on them. Never grants more than there is. */
export class Pool {
  readonly nodes: Nodes;
  readonly shapes: Shapes;
  readonly tree: NodeTree;
  readonly gangs: Gangs;
  readonly ledger: Ledger;
  readonly tags = new Tags();
  /** Nodes that have grown since they were last looked at, oldest first. */
  readonly grown: number[] = [];
  readonly #isGrown: Uint8Array;
  readonly #lastGrown = new Int32Array(REMEMBERED);
  #growths = 0;

  constructor(capacity: Capacity | readonly Capacity[]) {
    const capacities = 'cores' in capacity ? [capacity] : capacity;
    this.nodes = new Nodes(capacities);
    this.shapes = new Shapes(capacities);
    this.tree = new NodeTree(this.nodes);
    this.gangs = new Gangs(this.nodes, this.tree);
    this.ledger = new Ledger(this.nodes);
    this.#isGrown = new Uint8Array(this.nodes.count);
  }

  /** Granted cores, GPUs (with their parts) and bytes. */
  get used(): { readonly cores: number; readonly gpus: number; readonly memory: number } {
    return this.ledger.used;
  }

  /** What the pilot lacks for this demand even when it is empty; undefined: it can be met. */
  impossible(demand: Demand): Lack | undefined {
    return lackOf(this.shapes.of(demand), this.nodes.capacities);
  }

  /** Takes what fits. */
  take(
    claim: Claim,
    shape: Shape,
    spots: readonly Spot[],
    until: number | undefined,
    beside: Kept | undefined,
  ): Running {
    const shares = spots.map(({ node, slots }) => {
      if (this.nodes.slotsFit(node, shape) < slots) throw new RangeError(`${claim.id} was given what is not free`);
      const share = this.nodes.take(node, shape, slots);
      this.#changed(node);
      return share;
    });
    return this.#run(new Running({ id: claim.id, kind: claim.kind, until }, shape, shares, this.#names(spots), beside));
  }

  /** Books what runs already: it was granted before. */
  book(claim: Claim, shape: Shape, spots: readonly (Spot & Place)[], until: number | undefined): Running {
    const shares = spots.map((spot) => {
      const share = this.nodes.book(spot.node, shape, spot.slots, spot);
      this.#changed(spot.node);
      return share;
    });
    return this.#run(
      new Running({ id: claim.id, kind: claim.kind, until }, shape, shares, this.#names(spots), undefined),
    );
  }

  /** Takes back what somebody held; false: it was given back before. */
  give(one: Running): boolean {
    if (one.place < 0) return false;
    for (const share of one.nodes) {
      this.nodes.give(share);
      this.tags.remove(one.shape.tags, one.shape.apart, share.node);
    }
    this.ledger.remove(one);
    for (const { node } of one.nodes) {
      this.#changed(node);
      this.grew(node);
    }
    return true;
  }

  /** Keeps a node out of the search, or lets it be found again. */
  setAside(node: number, aside: boolean): void {
    this.tree.setAside(node, aside);
    this.gangs.update(node);
    this.grew(node);
  }

  /** Notes that there may be room now on a node for somebody who waits. */
  grew(node: number): void {
    this.#lastGrown[this.#growths % REMEMBERED] = node;
    this.#growths += 1;
    if (this.#isGrown[node] === 1) return;
    this.#isGrown[node] = 1;
    this.grown.push(node);
  }

  /** All nodes have to be looked at. */
  allGrew(): void {
    // The last is looked at first: so nodes are filled from the first one on.
    for (let node = this.nodes.count - 1; node >= 0; node -= 1) this.grew(node);
  }

  /** A node was looked at: nobody who waits fits on it any more. */
  looked(index: number): void {
    const node = this.grown[index];
    const last = this.grown.pop();
    if (node === undefined || last === undefined) return;
    if (index < this.grown.length) this.grown[index] = last;
    this.#isGrown[node] = 0;
  }

  /** Notes that a shape fits on no node now. */
  failed(shape: Shape): void {
    shape.failedAt = this.#growths;
  }

  /** The nodes on which alone a shape may fit, that did not fit before; undefined: any. */
  grownSinceFailed({ failedAt }: Shape): readonly number[] | undefined {
    const count = this.#growths - failedAt;
    if (failedAt < 0 || count > REMEMBERED) return undefined;
    return Array.from({ length: count }, (_, index) => this.#lastGrown[(failedAt + index) % REMEMBERED] ?? 0);
  }

  #run(one: Running): Running {
    this.ledger.add(one);
    for (const { node } of one.nodes) this.tags.add(one.shape.tags, one.shape.apart, node);
    return one;
  }

  #changed(node: number): void {
    this.tree.update(node);
    this.gangs.update(node);
  }

  #names(spots: readonly Spot[]): readonly string[] {
    return this.nodes.capacities[spots[0]?.node ?? 0]?.gpus ?? [];
  }
}
