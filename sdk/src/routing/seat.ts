import type { InstanceLoad } from '../schemas/service-record.js';
import { median } from './quantile.js';
import { Ring } from './ring.js';
import type { BalancerSettings, Candidate } from './types.js';

const TOTALS = 50;
const FIRST_EJECTION = 1_000;
const LONGEST_EJECTION = 30_000;
/** What a new instance gets of its share at first, where it starts slowly. */
const FIRST_SHARE = 0.1;

/** What a balancer knows of one instance. */
export class Seat {
  candidate: Candidate;
  /** Takes requests; false: what it has may end there, nothing new comes. */
  open = false;
  /** Requests sent there and not yet ended. */
  outstanding = 0;
  /** Where it stands in the order of turns: each request moves it on by one over its weight. */
  turn = 0;
  readonly #totals = new Ring(TOTALS);
  /** Requests of others, as the instance itself reported them. */
  #others = 0;
  #openSince = 0;
  #failures = 0;
  #why: string | null = null;
  #ejectedUntil = 0;
  #ejection = FIRST_EJECTION;
  #probation = false;

  constructor(candidate: Candidate) {
    this.candidate = candidate;
  }

  /** It takes requests now. */
  enter(candidate: Candidate, now: number): void {
    const anew = candidate.incarnation !== this.candidate.incarnation;
    if (!this.open || anew) this.#openSince = now;
    if (anew) this.#acquit();
    this.candidate = candidate;
    this.open = true;
  }

  succeeded(total: number): void {
    this.#totals.push(total);
    this.#acquit();
  }

  /**
   * It has failed a request.
   *
   * @returns whether it is left out from now on
   */
  failed(why: string, refused: boolean, now: number, { ejectAfter }: BalancerSettings): boolean {
    this.#failures += 1;
    this.#why = why;
    // What fails while it is left out was sent before, and says nothing new.
    if (this.ejected(now)) return false;
    if (!refused && !this.#probation && this.#failures < ejectAfter) return false;
    this.#ejectedUntil = now + this.#ejection;
    this.#ejection = Math.min(this.#ejection * 2, LONGEST_EJECTION);
    this.#probation = true;
    return true;
  }

  ejected(now: number): boolean {
    return now < this.#ejectedUntil;
  }

  /** When it comes back; in the past for one that is not left out. */
  get ejectedUntil(): number {
    return this.#ejectedUntil;
  }

  /** Not left out, and not just back from it. */
  healthy(now: number): boolean {
    return !this.#probation && !this.ejected(now);
  }

  /** Whether one more request may go there; one that comes back from being left out is tried with one. */
  free(now: number, { concurrency }: BalancerSettings): boolean {
    return !this.ejected(now) && this.outstanding < (this.#probation ? 1 : concurrency);
  }

  /** Total load for its weight: what was sent from here, and what it said others send. */
  pressure(weight: number): number {
    return (this.outstanding + this.#others) / weight;
  }

  /** It said how much it has to do. */
  reported(total: number): void {
    this.#others = Math.max(0, total - this.outstanding);
  }

  weight(now: number, { weights, slowStart }: BalancerSettings): number {
    const full = this.candidate.weight ?? weights[String(this.candidate.index)] ?? 1;
    if (slowStart <= 0) return full;
    return full * Math.min(1, Math.max(FIRST_SHARE, (now - this.#openSince) / slowStart));
  }

  /** @param iso - turns a moment of the balancer's clock into ISO 8601 */
  load(now: number, iso: (moment: number) => string): InstanceLoad {
    const ejected = this.ejected(now);
    return {
      outstanding: this.outstanding,
      p50: median(this.#totals.list()),
      ejectedUntil: ejected ? iso(this.#ejectedUntil) : null,
      why: ejected ? this.#why : null,
    };
  }

  #acquit(): void {
    this.#failures = 0;
    this.#why = null;
    this.#ejectedUntil = 0;
    this.#ejection = FIRST_EJECTION;
    this.#probation = false;
  }
}
