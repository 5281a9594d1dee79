import type { Finder } from './finder.js';
import { Gangs } from './gangs.js';
import type { Kept } from './keeping.js';
import type { Line, Lines } from './lines.js';
import type { Patience } from './patience.js';
import type { Pool, Spot } from './pool.js';

/** What a {@link Granter} works with. */
export interface GranterParts {
  readonly pool: Pool;
  readonly lines: Lines;
  readonly finder: Finder;
  readonly patience: Patience;
  now(): number;
}

/** Starts somebody on these nodes, who leaves the line by it. */
export type Start = (line: Line, ticket: number, spots: readonly Spot[], kept: Kept | undefined) => void;

/** Decides who is next. */
export class Granter {
  readonly #pool: Pool;
  readonly #lines: Lines;
  readonly #finder: Finder;
  readonly #patience: Patience;
  readonly #now: () => number;
  readonly #start: Start;
  /** Lines that have to be tried on all nodes. */
  readonly #anew = new Set<Line>();

  constructor({ pool, lines, finder, patience, now }: GranterParts, start: Start) {
    this.#pool = pool;
    this.#lines = lines;
    this.#finder = finder;
    this.#patience = patience;
    this.#now = now;
    this.#start = start;
  }

  /** A line has to be tried on all nodes. */
  again(line: Line): void {
    this.#anew.add(line);
  }

  /** Does the next thing that is to be done; false: there is nothing. */
  step(): boolean {
    const { grown, gangs } = this.#pool;
    const node = grown.at(-1);
    if (node !== undefined) {
      if (this.#fill(node)) return true;
      this.#pool.looked(grown.lastIndexOf(node));
      this.#wakeGangs(node);
      return true;
    }
    const gang = gangs.best();
    if (gang) return this.#startGang(gang);
    for (const line of this.#anew) {
      this.#anew.delete(line);
      if (line.head >= 0) this.#tryAnew(line);
      return true;
    }
    return this.#patience.keepIfDue();
  }

  /** Starts the best that fits on a node that has grown; false: nothing does. */
  #fill(node: number): boolean {
    const owner = this.#patience.ready(node);
    if (owner) {
      const { ticket, line } = owner;
      this.#patience.letGo();
      return this.#startTicket(line, ticket);
    }
    const { nodes } = this.#pool;
    const kept = this.#patience.keeping?.nodes.get(node);
    const { heavy, light, gangs } = this.#lines;
    const free = [nodes.freeCores[node] ?? 0, nodes.freeGpu[node] ?? 0, nodes.freeMemory[node] ?? 0] as const;
    if ((nodes.freeLight[node] ?? 0) > 0 && light.bestRank < Number.POSITIVE_INFINITY) {
      const place = light.best(0, 0, 0, (at) => this.#may(this.#lines.lightLine(at), node, undefined));
      const line = place < 0 ? undefined : this.#lines.lightLine(place);
      if (line) return this.#grant(line, line.head, [{ node, slots: 1 }]);
    }
    const gang = gangs.best();
    const place = heavy.best(...free, (at) => this.#may(this.#lines.heavyLine(at), node, kept));
    const line = place < 0 ? undefined : this.#lines.heavyLine(place);
    if (gang && (line === undefined || this.#lines.rank(gang) < this.#lines.rank(line))) return this.#startGang(gang);
    if (line === undefined) return false;
    return this.#grant(line, line.head, [{ node, slots: 1 }], kept);
  }

  /** Whether the first of a line may run on a node, which is perhaps kept for somebody. */
  #may(line: Line | undefined, node: number, kept: Kept | undefined): boolean {
    if (line === undefined || line.head < 0) return false;
    if (!this.#finder.allowed(line.shape, line.head, node)) return false;
    const { keeping } = this.#patience;
    if (kept === undefined || keeping === undefined || keeping.ticket === line.head) return true;
    const applicant = this.#lines.tickets.applicant(line.head);
    return this.#finder.beside(keeping, kept, line.shape, applicant, this.#now()) !== 'no';
  }

  /** Tries the first of a line on all nodes, as when it has come anew. */
  #tryAnew(line: Line): boolean {
    const ticket = line.head;
    if (line.shape.slots > 1) {
      this.#lines.wake(line);
      return false; // Whether there is room for all of it is known without a search.
    }
    const node = this.#finder.one(line, ticket);
    if (node >= 0) {
      this.#anew.add(line);
      return this.#grant(line, ticket, [{ node, slots: 1 }]);
    }
    if (line.shape.light) return false;
    for (const kept of this.#patience.keeping?.nodes.values() ?? []) {
      if (!this.#pool.nodes.fits(kept.node, line.shape) || !this.#may(line, kept.node, kept)) continue;
      this.#anew.add(line);
      return this.#grant(line, ticket, [{ node: kept.node, slots: 1 }], kept);
    }
    return false;
  }

  #startTicket(line: Line, ticket: number): boolean {
    if (line.shape.slots > 1) return this.#startGang(line, ticket);
    const node = this.#finder.one(line, ticket);
    return node < 0 || this.#grant(line, ticket, [{ node, slots: 1 }]);
  }

  /** Starts one who needs several slots; where tags leave too few nodes, its line waits until some more come free. */
  #startGang(line: Line, ticket = line.head): boolean {
    const { spots, found } = this.#finder.gang(line, ticket);
    if (spots) return this.#grant(line, ticket, spots);
    this.#lines.sleep(line, Gangs.need(line.shape) - found);
    return true;
  }

  /** A node has grown: counts down for those whose lines were left out of the search. */
  #wakeGangs(node: number): void {
    for (const line of this.#lines.asleep) {
      line.asleepFor -= this.#pool.gangs.offer(node, line.shape);
      if (line.asleepFor <= 0) this.#lines.wake(line);
    }
  }

  /** Gives true, as something has changed by it. */
  #grant(line: Line, ticket: number, spots: readonly Spot[], kept?: Kept): true {
    this.#start(line, ticket, spots, kept);
    return true;
  }
}
