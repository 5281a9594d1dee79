import type { Finder } from './finder.js';
import { Keeping, keptNode, nodesToKeep } from './keeping.js';
import type { Line, Lines } from './lines.js';
import type { Pool } from './pool.js';

/** So many times as patient with one that nothing could be kept free for. */
const HOPELESS = 4;

/**
 * Watches who is passed, and keeps nodes for one of them at a time: in turns for the first in rank and for the one who has
 * waited longest.
 */
export class Patience {
  keeping: Keeping | undefined;
  readonly #pool: Pool;
  readonly #lines: Lines;
  readonly #finder: Finder;
  readonly #mayPass: number;
  readonly #now: () => number;
  #started = 0;
  /** Rank of the first, and how many were started before it since it was first. */
  #first = Number.NEGATIVE_INFINITY;
  #passed = 0;
  /** When the one who waits longest was looked for, counted in starts, and who it was. */
  #lookedAt = 0;
  #longest = -1;
  #longestIsDue = false;
  #longestIsNext = false;

  constructor(pool: Pool, lines: Lines, finder: Finder, mayPass: number, now: () => number) {
    this.#pool = pool;
    this.#lines = lines;
    this.#finder = finder;
    this.#mayPass = mayPass;
    this.#now = now;
  }

  /** Somebody of this rank is being started, who takes something that there is only so much of. */
  started(rank: number): void {
    this.#started += 1;
    const first = this.#lines.bestRank;
    if (first < rank) {
      this.#passed = first === this.#first ? this.#passed + 1 : 1;
      this.#first = first;
    }
    // It is looked for among all lines, and so the more seldom the more there are.
    if (this.#started - this.#lookedAt < Math.max(this.#mayPass, this.#lines.active.size)) return;
    this.#lookedAt = this.#started;
    const longest = this.#waitsLongest();
    const seq = longest === undefined ? -1 : (this.#lines.tickets.seq[longest.head] ?? -1);
    this.#longestIsDue = seq >= 0 && seq === this.#longest;
    this.#longest = seq;
  }

  /** Keeps nodes for somebody if anybody was passed too often; tells whether it did. */
  keepIfDue(): boolean {
    if (this.keeping) return false;
    const firstIsDue = this.#passed >= this.#mayPass && this.#lines.bestRank === this.#first;
    if (!firstIsDue && !this.#longestIsDue) return false;
    const longestNow = this.#longestIsDue && (this.#longestIsNext || !firstIsDue);
    const line = longestNow ? this.#waitsLongest() : this.#isFirst();
    this.#longestIsNext = !longestNow;
    if (longestNow) this.#longestIsDue = false;
    else this.#passed = 0;
    return line !== undefined && this.#keep(line);
  }

  /**
   * A node has grown: whether the one whom nodes are kept for can start now. A node that is free sooner takes the place of
   * one that is not.
   */
  ready(node: number): Keeping | undefined {
    const { keeping } = this;
    if (keeping === undefined) return undefined;
    const { shape } = keeping.line;
    const { gangs, nodes } = this.#pool;
    if (shape.slots === 1) {
      return nodes.fits(node, shape) && this.#finder.allowed(shape, keeping.ticket, node) ? keeping : undefined;
    }
    this.changed(node);
    if (!keeping.nodes.has(node) && shape.perNode > 0 && gangs.offer(node, shape) > 0) {
      const laggard = this.#finder.allowed(shape, keeping.ticket, node) ? keeping.laggard() : undefined;
      if (laggard !== undefined) {
        keeping.drop(laggard);
        this.#pool.setAside(laggard, false);
        this.#keepNode(keeping, node);
      }
    }
    const more = this.#finder.isPicky(shape) ? 0 : gangs.room(shape);
    return keeping.offered + more >= keeping.need ? keeping : undefined;
  }

  /** Something was started on a node, or ended there. */
  changed(node: number): void {
    const { keeping } = this;
    if (keeping?.nodes.has(node)) keeping.update(node, this.#pool.gangs.offer(node, keeping.line.shape));
  }

  /** Somebody does not wait any more. */
  gone(ticket: number): void {
    if (this.keeping?.ticket === ticket) this.letGo();
  }

  /** A service has come: what is kept for a task is free again, services go first. */
  makeWay(): void {
    if (this.keeping?.line.kind === 'task') this.letGo();
  }

  letGo(): void {
    const { keeping } = this;
    this.keeping = undefined;
    for (const node of keeping?.nodes.keys() ?? []) this.#pool.setAside(node, false);
  }

  #keep(line: Line): boolean {
    const { shape, head } = line;
    const { nodes, ledger } = this.#pool;
    const allowed = (node: number) => this.#finder.allowed(shape, head, node);
    const chosen = nodesToKeep(shape, nodes, ledger, allowed, this.#now());
    if (chosen === undefined) {
      line.hopelessUntil = this.#started + HOPELESS * this.#mayPass;
      return false;
    }
    const readyAt = chosen.reduce((last, node) => Math.max(last, ledger.emptyAt(node)), 0);
    const keeping = new Keeping(head, line, readyAt);
    this.keeping = keeping;
    for (const node of chosen) this.#keepNode(keeping, node);
    return true;
  }

  #keepNode(keeping: Keeping, node: number): void {
    const { shape } = keeping.line;
    const { nodes, ledger, gangs } = this.#pool;
    keeping.keep(keptNode(node, shape, nodes, ledger), gangs.offer(node, shape));
    this.#pool.setAside(node, true);
  }

  #isFirst(): Line | undefined {
    for (const line of this.#lines.active) {
      if (this.#lines.rank(line) === this.#first && line.hopelessUntil <= this.#started) return line;
    }
    return undefined;
  }

  #waitsLongest(): Line | undefined {
    const { seq } = this.#lines.tickets;
    let found: Line | undefined;
    for (const line of this.#lines.active) {
      if ((line.shape.light && line.shape.slots === 1) || line.hopelessUntil > this.#started) continue;
      if (found === undefined || (seq[line.head] ?? 0) < (seq[found.head] ?? 0)) found = line;
    }
    return found;
  }
}
