import type { RoutingPolicy } from '../schemas/routing.js';
import { hashText, mix } from './hash.js';
import type { PrefixTable } from './prefix-table.js';
import type { Seat } from './seat.js';
import type { Wish } from './types.js';

/** A seat that is free for a request, with its weight of now. */
export interface Option {
  readonly seat: Seat;
  readonly weight: number;
}

/** What policies choose by. */
export interface Surroundings {
  readonly wish: Wish;
  readonly random: () => number;
  readonly prefixes: PrefixTable;
}

type Options = readonly [Option, ...Option[]];
type Policy = (options: Options, surroundings: Surroundings) => Option;

/** How much busier than the least busy the holder of a prefix may be: a warm cache is worth a short wait, not a long one. */
const BUSIER = { times: 2, more: 2 };

const before = (a: Option, b: Option): boolean => {
  const order = a.seat.pressure(a.weight) - b.seat.pressure(b.weight);
  return order < 0 || (order === 0 && a.seat.turn < b.seat.turn);
};

const leastOutstanding: Policy = (options) => {
  let best = options[0];
  for (const option of options) if (before(option, best)) best = option;
  return best;
};

const roundRobin: Policy = (options) => {
  let best = options[0];
  for (const option of options) if (option.seat.turn < best.seat.turn) best = option;
  return best;
};

/** The less busy of two drawn by weight (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001). */
const powerOfTwo: Policy = (options, { random }) => {
  const first = draw(options, random);
  const rest = options.filter((option) => option !== first);
  const second = isSome(rest) ? draw(rest, random) : first;
  return second.seat.pressure(second.weight) < first.seat.pressure(first.weight) ? second : first;
};

/** Highest random weight ("rendezvous") hashing: one that comes or goes moves only the sessions that it has to. */
const sessionAffinity: Policy = (options, surroundings) => {
  const { session } = surroundings.wish;
  if (session === undefined) return leastOutstanding(options, surroundings);
  const key = hashText(session);
  let best = options[0];
  let most = Number.NEGATIVE_INFINITY;
  for (const option of options) {
    const drawn = (mix(hashText(option.seat.candidate.id, key)) + 0.5) / 2 ** 32;
    const score = -option.weight / Math.log(drawn);
    if (score > most) [best, most] = [option, score];
  }
  return best;
};

const prefixAffinity: Policy = (options, surroundings) => {
  const { wish, prefixes } = surroundings;
  const least = leastOutstanding(options, surroundings);
  if (wish.prefix === undefined) return least;
  const id = prefixes.holder(wish.prefix);
  const holder = options.find(({ seat }) => seat.candidate.id === id);
  const limit = least.seat.pressure(least.weight) * BUSIER.times + BUSIER.more;
  const chosen = holder !== undefined && holder.seat.pressure(holder.weight) <= limit ? holder : least;
  prefixes.seen(wish.prefix, chosen.seat.candidate.id);
  return chosen;
};

/** How each policy chooses among seats that are free. */
export const POLICIES: Readonly<Record<RoutingPolicy, Policy>> = {
  'least-outstanding': leastOutstanding,
  'power-of-two': powerOfTwo,
  'round-robin': roundRobin,
  'session-affinity': sessionAffinity,
  'prefix-affinity': prefixAffinity,
};

function draw(options: Options, random: () => number): Option {
  const sum = options.reduce((total, { weight }) => total + weight, 0);
  let left = random() * sum;
  for (const option of options) {
    left -= option.weight;
    if (left < 0) return option;
  }
  return options[0];
}

export function isSome(options: readonly Option[]): options is Options {
  return options.length > 0;
}
