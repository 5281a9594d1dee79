import type { Claim, Kind } from './demand.js';
import type { Gangs } from './gangs.js';
import { LineTree } from './line-tree.js';
import type { Shape } from './shape.js';
import { IN_NO_LINE, Tickets } from './tickets.js';

/** Those who want the same, at the same priority and for about as long: first come, first served. */
export interface Line {
  readonly number: number;
  readonly shape: Shape;
  readonly kind: Kind;
  /** Its key among the lines of its shape. */
  readonly key: number;
  /** What comes before the order of arrival in the rank of its head. */
  readonly base: number;
  head: number;
  tail: number;
  count: number;
  /** Where it is in its tree; -1: nowhere, since nobody stands in it or it was found not to be startable for now. */
  place: number;
  /** So many more nodes, or slots, must come free before it is worth a look: it was left out of the search. */
  asleepFor: number;
  /** Nothing can be kept free for it before so many were started. */
  hopelessUntil: number;
}

const ARRIVALS = 2 ** 40;
const PRIORITIES = 2048;
const DURATIONS = 64;

/** Those who are known to be short stand in other lines than the others: they may fit in before what nodes are kept for. */
function durationOf(seconds: number | undefined): number {
  return seconds === undefined ? 0 : Math.max(1, Math.min(DURATIONS - 1, 2 + Math.ceil(Math.log2(seconds))));
}

/** Everybody who waits, in their lines, and the lines by what they need. */
export class Lines {
  readonly tickets = new Tickets();
  /** Lines in which somebody stands. */
  readonly active = new Set<Line>();
  /** Lines that are left out of the search. */
  readonly asleep = new Set<Line>();
  /** Lines of one slot: those that take something, and those that take nothing. */
  readonly heavy = new LineTree();
  readonly light = new LineTree();
  readonly gangs: Gangs;
  readonly #all: Line[] = [];
  readonly #heavyAt: (Line | undefined)[] = [];
  readonly #lightAt: (Line | undefined)[] = [];
  /** Lines by the tags of those in them, and by the tags that those in them want to be near to. */
  readonly #bearers = new Map<string, Set<Line>>();
  readonly #wanting = new Map<string, Set<Line>>();
  /** Numbers of lines that are nobody's any more. */
  readonly #spare: number[] = [];

  constructor(gangs: Gangs) {
    this.gangs = gangs;
  }

  /** The line that somebody has to stand in. */
  of(shape: Shape, { kind, priority = 0, expects, limit }: Claim): Line {
    const level = (kind === 'service' ? 0 : PRIORITIES) + 1000 - Math.max(-1000, Math.min(1000, priority));
    const key = level * DURATIONS + durationOf(expects ?? limit);
    const known = shape.lines.get(key);
    if (known) return known;
    const line: Line = {
      number: this.#spare.pop() ?? this.#all.length,
      shape,
      kind,
      key,
      base: level * ARRIVALS,
      head: -1,
      tail: -1,
      count: 0,
      place: -1,
      asleepFor: 0,
      hopelessUntil: 0,
    };
    this.#all[line.number] = line;
    shape.lines.set(key, line);
    return line;
  }

  lineOf(ticket: number): Line | undefined {
    const number = this.tickets.line[ticket] ?? IN_NO_LINE;
    return number === IN_NO_LINE ? undefined : this.#all[number];
  }

  /** Rank of the first in the line: lower goes first. */
  rank(line: Line): number {
    return line.head < 0 ? Number.POSITIVE_INFINITY : line.base + (this.tickets.seq[line.head] ?? 0);
  }

  /** Rank of somebody in this line. */
  rankOf(line: Line, ticket: number): number {
    return line.base + (this.tickets.seq[ticket] ?? 0);
  }

  /** Lets somebody stand at the end of a line. */
  push(line: Line, ticket: number): void {
    const { next, prev, line: lineOf } = this.tickets;
    lineOf[ticket] = line.number;
    prev[ticket] = line.tail;
    next[ticket] = -1;
    if (line.tail >= 0) next[line.tail] = ticket;
    line.tail = ticket;
    line.count += 1;
    if (line.head >= 0) return;
    line.head = ticket;
    this.active.add(line);
    for (const tag of line.shape.tags) put(this.#bearers, tag, line);
    for (const tag of line.shape.near) put(this.#wanting, tag, line);
    this.#enter(line);
  }

  /** Takes somebody out of a line, wherever they stand. */
  leave(line: Line, ticket: number): void {
    const { next, prev, line: lineOf } = this.tickets;
    const before = prev[ticket] ?? -1;
    const after = next[ticket] ?? -1;
    if (before >= 0) next[before] = after;
    if (after >= 0) prev[after] = before;
    if (line.tail === ticket) line.tail = before;
    line.count -= 1;
    lineOf[ticket] = IN_NO_LINE;
    if (line.head !== ticket) return;
    line.head = after;
    if (after >= 0) this.#reorder(line);
    else this.#close(line);
  }

  /** Leaves a line out of the search until {@link wake}. */
  sleep(line: Line, asleepFor: number): void {
    line.asleepFor = Math.max(1, asleepFor);
    this.#exit(line);
    this.asleep.add(line);
  }

  wake(line: Line): void {
    line.asleepFor = 0;
    this.asleep.delete(line);
    if (line.head >= 0 && line.place < 0) this.#enter(line);
  }

  heavyLine(place: number): Line | undefined {
    return this.#heavyAt[place];
  }

  lightLine(place: number): Line | undefined {
    return this.#lightAt[place];
  }

  /** Lines that want to be near to this tag. */
  wanting(tag: string): Iterable<Line> {
    return this.#wanting.get(tag) ?? [];
  }

  isWanted(tag: string): boolean {
    return this.#wanting.has(tag);
  }

  /** Whether somebody with one of these tags waits who came before this one. */
  someoneEarlier(tags: readonly string[], ticket: number): boolean {
    const { seq } = this.tickets;
    const own = seq[ticket] ?? 0;
    return tags.some((tag) => {
      for (const { head } of this.#bearers.get(tag) ?? []) if (head >= 0 && (seq[head] ?? 0) < own) return true;
      return false;
    });
  }

  /** Rank of the first of all who want something that there is only so much of. */
  get bestRank(): number {
    return Math.min(this.heavy.bestRank, this.gangs.bestRank);
  }

  #enter(line: Line): void {
    const { shape } = line;
    if (shape.slots > 1) {
      line.place = this.gangs.enter(line, this.rank(line));
    } else if (shape.light) {
      line.place = this.light.add(0, 0, 0, this.rank(line));
      this.#lightAt[line.place] = line;
    } else {
      line.place = this.heavy.add(shape.cores, shape.gpu, shape.memory, this.rank(line));
      this.#heavyAt[line.place] = line;
    }
  }

  #reorder(line: Line): void {
    if (line.place < 0) return;
    if (line.shape.slots > 1) this.gangs.reorder(line, this.rank(line));
    else (line.shape.light ? this.light : this.heavy).setRank(line.place, this.rank(line));
  }

  #exit(line: Line): void {
    if (line.place < 0) return;
    if (line.shape.slots > 1) {
      this.gangs.exit(line);
    } else if (line.shape.light) {
      this.light.remove(line.place);
      this.#lightAt[line.place] = undefined;
    } else {
      this.heavy.remove(line.place);
      this.#heavyAt[line.place] = undefined;
    }
    line.place = -1;
  }

  #close(line: Line): void {
    this.#exit(line);
    this.active.delete(line);
    this.asleep.delete(line);
    line.shape.lines.delete(line.key);
    this.#spare.push(line.number);
    for (const tag of line.shape.tags) drop(this.#bearers, tag, line);
    for (const tag of line.shape.near) drop(this.#wanting, tag, line);
  }
}

function put(sets: Map<string, Set<Line>>, tag: string, line: Line): void {
  const set = sets.get(tag);
  if (set) set.add(line);
  else sets.set(tag, new Set([line]));
}

function drop(sets: Map<string, Set<Line>>, tag: string, line: Line): void {
  const set = sets.get(tag);
  if (set?.delete(line) && set.size === 0) sets.delete(tag);
}
