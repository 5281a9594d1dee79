import type { Applicant, Claim, Explanation, Grant, Place, WaitReason } from './demand.js';
import { explainWaiting } from './explain.js';
import { Finder } from './finder.js';
import { Granter } from './granter.js';
import { countBeside, type Kept } from './keeping.js';
import { Running } from './ledger.js';
import { type Line, Lines } from './lines.js';
import { Patience } from './patience.js';
import type { Pool, Spot } from './pool.js';
import { type LazyReason, noPilotTime, reasonFor, type View } from './reasons.js';
import { Told } from './told.js';

export type { Applicant, Claim, Explanation, Grant, Place, WaitReason } from './demand.js';

/** How a scheduler is set up, beside its pool. */
export interface SchedulerOptions {
  /**
   * How many may be started before one that has a better right but does not fit; then nodes are kept for it. Default: 16,
   * and one more for each node.
   */
  readonly mayPass?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/**
 * Services before tasks, then by priority, then first come, first served. Something smaller may pass what does not fit at the
 * moment, but only so often: then nodes are kept free for whoever was passed, in turns for the first in rank and for the one
 * who has waited longest, so that nothing starves. What takes nothing neither holds up the others nor waits for them.
 *
 * Whoever waits stands in a line of those who want the same, and a line is looked at again only when a node has grown that
 * one of it fits on. So what an event costs depends on what can be started, not on how many wait.
 */
export class Scheduler {
  readonly pool: Pool;
  readonly #lines: Lines;
  readonly #finder: Finder;
  readonly #patience: Patience;
  readonly #granter: Granter;
  readonly #told: Told;
  readonly #now: () => number;
  /** Tickets of those who would not end in time. */
  readonly #late = new Set<number>();
  #held = true;
  #why: WaitReason | undefined;
  #pumping = false;
  #endsAt: number | undefined;

  constructor(pool: Pool, { mayPass, now = Date.now }: SchedulerOptions = {}) {
    this.pool = pool;
    this.#now = now;
    this.#lines = new Lines(pool.gangs);
    this.#finder = new Finder(pool, this.#lines);
    this.#patience = new Patience(pool, this.#lines, this.#finder, mayPass ?? 16 + pool.nodes.count, now);
    this.#granter = new Granter(
      { pool, lines: this.#lines, finder: this.#finder, patience: this.#patience, now },
      (...who) => this.#start(...who),
    );
    this.#told = new Told(this.#lines.tickets);
  }

  get waiting(): number {
    return this.#lines.tickets.count;
  }

  /** Whether it grants nothing at the moment, whatever is free. */
  get held(): boolean {
    return this.#held;
  }

  /** Whoever nodes are kept for now. */
  get keptFor(): string | undefined {
    const { keeping } = this.#patience;
    return keeping && this.#lines.tickets.applicant(keeping.ticket).id;
  }

  /** Starts granting; until then what ran before a restart is booked. */
  begin(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#why = undefined;
    this.pool.allGrew();
    this.pump();
    for (const ticket of this.#lines.tickets.all()) if (this.#told.isStale(ticket)) this.#tell(ticket);
  }

  /** Grants nothing new until {@link begin}; `why` is told to whoever has heard nothing yet, or applies meanwhile. */
  hold(why?: WaitReason): void {
    this.#held = true;
    this.#why = why;
    if (why === undefined) return;
    // Who came while nothing was granted yet has heard nothing so far.
    for (const ticket of this.#lines.tickets.all()) {
      if (this.#told.isStale(ticket)) this.#told.tell(ticket, why.code, () => why.text);
    }
  }

  /** When the pilot ends by itself, in milliseconds since 1970; undefined: not known. */
  setEnd(endsAt: number | undefined): void {
    this.#endsAt = endsAt;
    const { tickets } = this.#lines;
    for (const ticket of [...this.#late]) {
      if (!this.#inTime(ticket)) continue;
      this.#late.delete(ticket);
      const applicant = tickets.applicant(ticket);
      this.#stand(this.#lines.of(this.pool.shapes.of(applicant.demand), applicant), ticket);
    }
    this.pump();
  }

  /** Books what runs already, as after a restart of the agent: `at` says where, one entry per node. */
  book(claim: Claim, at: readonly Place[] = []): Grant {
    const shape = this.pool.shapes.of(claim.demand);
    const places: readonly Place[] = at.length > 0 ? at : [{}];
    const least = Math.floor(shape.slots / places.length);
    const more = shape.slots % places.length;
    const spots = places.map((place, index) => {
      const found = place.node ?? (shape.light ? this.pool.nodes.firstLight() : this.pool.tree.find(shape));
      const node = found >= 0 && found < this.pool.nodes.count ? found : 0;
      const byCores = place.cores && shape.cores > 0 ? Math.round(place.cores.length / shape.cores) : undefined;
      return { ...place, node, slots: place.slots ?? byCores ?? least + (index < more ? 1 : 0) };
    });
    return this.pool.book(claim, shape, spots, this.#until(claim));
  }

  /** Puts something into the queue; it may be granted within this call. Whoever waits under the same id is taken out first. */
  apply(applicant: Applicant): void {
    this.withdraw(applicant.id);
    const ticket = this.#lines.tickets.add(applicant);
    if (!this.#inTime(ticket)) {
      this.#late.add(ticket);
      if (!this.#held) this.#tell(ticket);
      return;
    }
    this.#stand(this.#lines.of(this.pool.shapes.of(applicant.demand), applicant), ticket);
    if (this.#held) {
      const why = this.#why;
      if (why) this.#told.tell(ticket, why.code, () => why.text);
      return;
    }
    if (applicant.kind === 'service') this.#patience.makeWay();
    this.pump();
    // It may have been granted meanwhile, and its number may be somebody else's.
    if (this.#lines.tickets.find(applicant.id) === ticket && this.#told.isStale(ticket)) this.#tell(ticket);
  }

  /** Takes something out of the queue; tells whether it was there. */
  withdraw(id: string): boolean {
    const ticket = this.#lines.tickets.find(id);
    if (ticket < 0) return false;
    this.#late.delete(ticket);
    const line = this.#lines.lineOf(ticket);
    this.#patience.gone(ticket);
    if (line) {
      this.#lines.leave(line, ticket);
      this.#freeToGo(line.shape.tags);
    }
    this.#lines.tickets.remove(ticket);
    this.pump();
    return true;
  }

  /** Takes back what was granted; giving it back twice changes nothing. */
  release(grant: Grant): void {
    if (!(grant instanceof Running) || !this.pool.give(grant)) return;
    if (grant.beside) countBeside(grant.beside, grant.shape, -1);
    this.#freeToGo(grant.shape.tags.filter((tag) => !this.pool.tags.runs(tag)));
    this.pump();
  }

  /** Why something that waits has not been started; undefined: it does not wait here. */
  explain(id: string): Explanation | undefined {
    const ticket = this.#lines.tickets.find(id);
    if (ticket < 0) return undefined;
    return explainWaiting(ticket, { ...this.#view, stopped: this.#stopped(ticket) });
  }

  /** Grants what can be granted now. */
  pump(): void {
    // What is called from within a grant goes on when that has returned.
    if (this.#held || this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#held && this.#granter.step()) {
        // One after the other, until nothing more can be granted.
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** Grants this to somebody who stands in a line, or puts them by where the pilot's time is too short for them. */
  #start(line: Line, ticket: number, spots: readonly Spot[], kept: Kept | undefined): void {
    const { tickets } = this.#lines;
    const applicant = tickets.applicant(ticket);
    if (!this.#inTime(ticket)) {
      this.#patience.gone(ticket);
      this.#lines.leave(line, ticket);
      this.#late.add(ticket);
      this.#freeToGo(line.shape.tags);
      this.#tell(ticket);
      return;
    }
    const { shape } = line;
    const { keeping } = this.#patience;
    const isBeside = kept !== undefined && keeping !== undefined && keeping.ticket !== ticket;
    const counts =
      isBeside && this.#finder.beside(keeping, kept, shape, applicant, this.#now()) === 'beside' ? kept : undefined;
    const grant = this.pool.take(applicant, shape, spots, this.#until(applicant), counts);
    if (counts) countBeside(counts, shape, 1);
    if (!shape.light) this.#patience.started(this.#lines.rankOf(line, ticket));
    this.#patience.gone(ticket);
    this.#lines.leave(line, ticket);
    tickets.remove(ticket);
    for (const { node } of spots) this.#patience.changed(node);
    for (const tag of shape.tags) {
      // What wants to be near to it may go there from now on.
      if (this.#lines.isWanted(tag)) for (const { node } of spots) this.pool.grew(node);
    }
    // Who is first now may wait for something else than when it was told.
    if (line.head >= 0) this.#tell(line.head);
    applicant.granted(grant);
  }

  #stand(line: Line, ticket: number): void {
    const first = line.head < 0;
    this.#lines.push(line, ticket);
    // Who comes behind others fits no more than those do.
    if (first) this.#granter.again(line);
  }

  /** What wants to be near to these may have waited for somebody who is gone, or runs nowhere any more. */
  #freeToGo(tags: readonly string[]): void {
    for (const tag of tags) for (const line of this.#lines.wanting(tag)) this.#granter.again(line);
  }

  #inTime(ticket: number): boolean {
    const { expects } = this.#lines.tickets.applicant(ticket);
    return expects === undefined || this.#endsAt === undefined || this.#now() + expects * 1000 <= this.#endsAt;
  }

  #until({ expects, limit }: Claim): number | undefined {
    const seconds = expects ?? limit;
    return seconds === undefined ? undefined : this.#now() + seconds * 1000;
  }

  /** Why it waits although nothing of its own needs is short; undefined: that is what it waits for. */
  #stopped(ticket: number): LazyReason | undefined {
    if (this.#late.has(ticket)) {
      return noPilotTime(this.#lines.tickets.applicant(ticket).expects ?? 0, this.#endsAt ?? 0, this.#now());
    }
    const why = this.#why ?? NOT_YET;
    return this.#held ? { code: why.code, words: () => why.text } : undefined;
  }

  #tell(ticket: number): void {
    const line = this.#lines.lineOf(ticket);
    const reason = this.#stopped(ticket) ?? (line && reasonFor(line.shape, ticket, this.#view));
    if (reason) this.#told.tell(ticket, reason.code, reason.words);
  }

  get #view(): View {
    const { keeping } = this.#patience;
    return { pool: this.pool, lines: this.#lines, finder: this.#finder, keeping };
  }
}

const NOT_YET: WaitReason = { code: 'WAITS_FOR_TURN', text: 'the pilot is just starting' };
