import { LineTree } from './line-tree.js';
import type { Line } from './lines.js';
import type { NodeTree } from './node-tree.js';
import type { Nodes } from './nodes.js';
import type { Shape } from './shape.js';

/** Rooms that nobody asks for any more are kept up to date for a while: somebody often comes again. */
const IDLE_ROOMS = 8;
/** Up to so many kinds of slots have a room each; beyond them, kinds share one with those that need a little less memory. */
const OWN_ROOMS = 64;

/** How much room there is for one kind of slot. */
interface Room {
  readonly key: string;
  readonly shape: Shape;
  /** What each node offers: 1 where enough slots fit, or, where nodes are not counted, the slots that fit. */
  readonly offers: Int32Array;
  total: number;
  readonly tree: LineTree;
  readonly lines: (Line | undefined)[];
  waiting: number;
}

/**
 * Those who need several slots at once. Whether they fit is known without a search: for each kind of slot that somebody waits
 * for, the room is counted as nodes fill and empty.
 */
export class Gangs {
  readonly #nodes: Nodes;
  readonly #tree: NodeTree;
  readonly #rooms = new Map<string, Room>();
  readonly #roomOfLine = new Map<Line, Room>();
  #list: Room[] = [];

  constructor(nodes: Nodes, tree: NodeTree) {
    this.#nodes = nodes;
    this.#tree = tree;
  }

  /** How many nodes, or slots where nodes do not count, somebody needs. */
  static need(shape: Shape): number {
    return shape.nodes > 0 ? shape.nodes : shape.slots;
  }

  /** What a node offers to a shape, kept for somebody or not. */
  offer(node: number, shape: Shape): number {
    const slots = this.#nodes.slotsFit(node, shape);
    return shape.perNode > 0 ? (slots >= shape.perNode ? 1 : 0) : slots;
  }

  /** What all nodes offer that are not kept for somebody. */
  room(shape: Shape): number {
    const room = this.#roomOf(shape);
    if (room.shape.memory === shape.memory) return room.total;
    let total = 0;
    for (let node = 0; node < this.#nodes.count; node += 1) {
      if (!this.#tree.isAside(node)) total += this.offer(node, shape);
    }
    return total;
  }

  /** Something was taken from a node or given back, or it is kept for somebody, or no longer. */
  update(node: number): void {
    const aside = this.#tree.isAside(node);
    for (const room of this.#list) {
      const offer = aside ? 0 : this.offer(node, room.shape);
      const before = room.offers[node] ?? 0;
      if (offer === before) continue;
      room.offers[node] = offer;
      room.total += offer - before;
    }
  }

  /** Rank of the first of all, whether there is room or not. */
  get bestRank(): number {
    let best = Number.POSITIVE_INFINITY;
    for (const { tree } of this.#list) best = Math.min(best, tree.bestRank);
    return best;
  }

  /** The first of those for whom there is room. */
  best(): Line | undefined {
    let best = Number.POSITIVE_INFINITY;
    let found: Line | undefined;
    for (const room of this.#list) {
      if (room.total === 0 || room.tree.bestRank >= best) continue;
      const place = room.tree.best(room.total, 0, 0);
      if (place < 0) continue;
      const rank = room.tree.rankAt(place);
      if (rank >= best) continue;
      best = rank;
      found = room.lines[place];
    }
    return found;
  }

  enter(line: Line, rank: number): number {
    const room = this.#roomOf(line.shape);
    const place = room.tree.add(Gangs.need(line.shape), 0, 0, rank);
    room.lines[place] = line;
    room.waiting += 1;
    this.#roomOfLine.set(line, room);
    return place;
  }

  reorder(line: Line, rank: number): void {
    this.#roomOfLine.get(line)?.tree.setRank(line.place, rank);
  }

  exit(line: Line): void {
    const room = this.#roomOfLine.get(line);
    if (room === undefined) return;
    this.#roomOfLine.delete(line);
    room.tree.remove(line.place);
    room.lines[line.place] = undefined;
    room.waiting -= 1;
  }

  #roomOf(exact: Shape): Room {
    const own = this.#rooms.get(keyOf(exact));
    if (own) return own;
    this.#forget();
    // Shared, it tells at least when there is no room; whether there is any is seen when it is searched for.
    const shape = this.#rooms.size < OWN_ROOMS ? exact : { ...exact, memory: powerBelow(exact.memory) };
    const key = keyOf(shape);
    const known = this.#rooms.get(key);
    if (known) return known;
    const room: Room = {
      key,
      shape,
      offers: new Int32Array(this.#nodes.count),
      total: 0,
      tree: new LineTree(),
      lines: [],
      waiting: 0,
    };
    for (let node = 0; node < this.#nodes.count; node += 1) {
      if (this.#tree.isAside(node)) continue;
      room.offers[node] = this.offer(node, shape);
      room.total += room.offers[node] ?? 0;
    }
    this.#rooms.set(key, room);
    this.#list = [...this.#rooms.values()];
    return room;
  }

  #forget(): void {
    const idle = this.#list.filter(({ waiting }) => waiting === 0);
    for (const { key } of idle.slice(0, Math.max(0, idle.length - IDLE_ROOMS + 1))) this.#rooms.delete(key);
    this.#list = [...this.#rooms.values()];
  }
}

function keyOf({ cores, gpu, memory, perNode, light }: Shape): string {
  return `${cores}|${gpu}|${memory}|${perNode}|${light}`;
}

/** The largest power of two that is not more. */
function powerBelow(amount: number): number {
  return amount < 1 ? 0 : 2 ** Math.floor(Math.log2(amount));
}
