import type { Claim } from './demand.js';
import { fitsBeside, type Keeping, type Kept } from './keeping.js';
import type { Line, Lines } from './lines.js';
import type { Pool, Spot } from './pool.js';
import type { Shape } from './shape.js';

/** Whether something is free to go anywhere, only beside others, or nowhere yet, as its `near` says. */
type Nearness = 'anywhere' | 'beside' | 'nowhere';

/** Finds where something may run. Changes nothing. */
export class Finder {
  readonly #pool: Pool;
  readonly #lines: Lines;

  constructor(pool: Pool, lines: Lines) {
    this.#pool = pool;
    this.#lines = lines;
  }

  /**
   * What it wants to be near to decides: where any of it runs, it goes there; where none runs but some waits that came
   * earlier, it waits for that; otherwise it goes anywhere.
   */
  nearness(shape: Shape, ticket: number): Nearness {
    if (shape.near.length === 0) return 'anywhere';
    if (shape.near.some((tag) => this.#pool.tags.runs(tag))) return 'beside';
    return this.#lines.someoneEarlier(shape.near, ticket) ? 'nowhere' : 'anywhere';
  }

  /** Whether tags have a say in where it may run. */
  isPicky(shape: Shape): boolean {
    return shape.near.length + shape.apart.length > 0 || this.#pool.tags.repels(shape.tags);
  }

  /** Whether tags allow it to run there. */
  allowed(shape: Shape, ticket: number, node: number): boolean {
    if (!this.isPicky(shape)) return true;
    const { tags } = this.#pool;
    if (tags.forbid(shape.tags, shape.apart, node)) return false;
    const nearness = this.nearness(shape, ticket);
    return nearness === 'anywhere' || (nearness === 'beside' && tags.anyOn(shape.near, node));
  }

  /** A node for one slot; -1: there is none. */
  one(line: Line, ticket: number): number {
    const { shape } = line;
    if (this.isPicky(shape)) return this.#picky(shape, ticket);
    const { tree, nodes } = this.#pool;
    if (shape.light) return nodes.firstLight() < nodes.count ? nodes.firstLight() : -1;
    const few = this.#pool.grownSinceFailed(shape);
    if (few) {
      for (const node of few) if (!tree.isAside(node) && nodes.fits(node, shape)) return node;
    } else {
      const part = shape.gpu % 100;
      const packed = part > 0 && shape.gpu < 100 ? tree.find(shape, -1, 1, part) : -1;
      const node = packed >= 0 ? packed : tree.find(shape);
      if (node >= 0) return node;
    }
    this.#pool.failed(shape);
    return -1;
  }

  /** Nodes for all slots at once, or how much was found where it is not enough. */
  gang(line: Line, ticket: number): { readonly spots: readonly Spot[] | undefined; readonly found: number } {
    return line.shape.perNode > 0 ? this.#counted(line.shape, ticket) : this.#packed(line.shape, ticket);
  }

  /**
   * Whether it may start on a node that is kept for somebody else: beside what that needs, or since it ends before.
   */
  beside(keeping: Keeping, kept: Kept, shape: Shape, claim: Claim, now: number): 'no' | 'beside' | 'in time' {
    if (!this.#pool.nodes.fits(kept.node, shape)) return 'no';
    if (fitsBeside(kept, shape)) return 'beside';
    const seconds = claim.expects ?? claim.limit;
    return seconds !== undefined && now + seconds * 1000 <= keeping.readyAt && Number.isFinite(keeping.readyAt)
      ? 'in time'
      : 'no';
  }

  #picky(shape: Shape, ticket: number): number {
    const { tree, tags, nodes } = this.#pool;
    const nearness = this.nearness(shape, ticket);
    if (nearness === 'nowhere') return -1;
    const open = (node: number) => shape.light || !tree.isAside(node);
    if (nearness === 'beside') {
      for (const node of tags.nodesOf(shape.near)) {
        if (nodes.fits(node, shape) && open(node) && !tags.forbid(shape.tags, shape.apart, node)) return node;
      }
      return -1;
    }
    if (shape.apart.some((tag) => tags.spread(tag) === nodes.count)) return -1;
    if (shape.light) {
      for (let node = nodes.firstLight(); node < nodes.count; node += 1)
        if (nodes.fits(node, shape) && !tags.forbid(shape.tags, shape.apart, node)) return node;
      return -1;
    }
    for (let node = tree.find(shape); node >= 0; node = tree.find(shape, node)) {
      if (!tags.forbid(shape.tags, shape.apart, node)) return node;
    }
    return -1;
  }

  #counted(shape: Shape, ticket: number): { readonly spots: readonly Spot[] | undefined; readonly found: number } {
    const { tree, nodes } = this.#pool;
    const found: number[] = [];
    const { perNode } = shape;
    for (let node = this.#next(shape, -1, perNode); node >= 0; node = this.#next(shape, node, perNode)) {
      if (tree.isAside(node) || nodes.slotsFit(node, shape) < perNode || !this.allowed(shape, ticket, node)) continue;
      found.push(node);
      if (found.length < shape.nodes) continue;
      const least = Math.floor(shape.slots / shape.nodes);
      const more = shape.slots % shape.nodes;
      const spots = found.map((one, index) => ({ node: one, slots: least + (index < more ? 1 : 0) }));
      return { spots, found: found.length };
    }
    return { spots: undefined, found: found.length };
  }

  /** On as few nodes as it fits on, roughly: first where all fit, then where half of what is left fits, and so on. */
  #packed(shape: Shape, ticket: number): { readonly spots: readonly Spot[] | undefined; readonly found: number } {
    const { tree, nodes } = this.#pool;
    const spots = new Map<number, number>();
    let left = shape.slots;
    for (let least = left; left > 0; least = Math.min(left, Math.ceil(least / 2))) {
      for (let node = this.#next(shape, -1, least); node >= 0 && left > 0; node = this.#next(shape, node, least)) {
        if (spots.has(node) || tree.isAside(node)) continue;
        const slots = Math.min(left, nodes.slotsFit(node, shape));
        if (slots < Math.min(least, left) || !this.allowed(shape, ticket, node)) continue;
        spots.set(node, slots);
        left -= slots;
      }
      if (least === 1) break;
    }
    const list = [...spots].map(([node, slots]) => ({ node, slots }));
    return { spots: left === 0 ? list : undefined, found: shape.slots - left };
  }

  #next(shape: Shape, after: number, slots: number): number {
    if (!shape.light) return this.#pool.tree.find(shape, after, slots);
    return after + 1 < this.#pool.nodes.count ? after + 1 : -1;
  }
}
