import type { PilothouseError } from '../errors/index.js';
import type { InstanceLoad } from '../schemas/service-record.js';
import { type End, Held } from './held.js';
import { Line } from './line.js';
import { type Measured, Meter } from './meter.js';
import { isSome, type Option, POLICIES } from './policies.js';
import { PrefixTable } from './prefix-table.js';
import { Seat } from './seat.js';
import {
  type Asking,
  type BalancerClock,
  type BalancerOptions,
  type BalancerSettings,
  type Candidate,
  type Grant,
  systemClock,
  type WaitReason,
  type Wish,
} from './types.js';
import { queueFull, waitsForPlace, waitsForService } from './words.js';

/** Milliseconds between two times that those who wait are told how many are before them. */
const TELL_EVERY = 500;

interface Waiter {
  readonly asking: Asking;
  readonly priority: number;
  told: string;
  readonly resolve: (grant: Grant) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Decides which instance of one service answers a request, and lets requests wait where none is free. Pure: it knows
 * instances by what it is told, sends nothing, and takes time and chance from outside.
 *
 * No instance gets more than its limit; who waits is served by priority, then in order of arrival; an instance that fails
 * is left out for 1 s, then twice as long each time, as long as another is healthy.
 */
export class Balancer {
  readonly #options: BalancerOptions;
  readonly #clock: BalancerClock;
  readonly #random: () => number;
  readonly #seats = new Map<string, Seat>();
  readonly #line = new Line<Waiter>();
  readonly #prefixes = new PrefixTable();
  readonly #meter: Meter;
  #settings: BalancerSettings;
  #open: Seat[] = [];
  #outstanding = 0;
  /** Turn of the last request; who was away for long does not make up for all that it missed. */
  #turn = 0;
  #ended: PilothouseError | undefined;
  #stopWaking: (() => void) | undefined;
  #stopTelling: (() => void) | undefined;

  constructor(settings: BalancerSettings, options: BalancerOptions) {
    this.#settings = settings;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#meter = new Meter(options.totals);
  }

  /** Requests under way. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#line.size;
  }

  get settings(): BalancerSettings {
    return this.#settings;
  }

  configure(settings: BalancerSettings): void {
    this.#settings = settings;
    this.#pump();
  }

  /** Says which instances take requests now. Those that are left out keep what they have. */
  update(candidates: readonly Candidate[]): void {
    const now = this.#clock.now();
    const ids = new Set(candidates.map(({ id }) => id));
    for (const [id, seat] of this.#seats) {
      if (ids.has(id)) continue;
      if (seat.open) this.#prefixes.forget(id);
      seat.open = false;
      if (seat.outstanding === 0) this.#seats.delete(id);
    }
    this.#open = candidates.map((candidate) => {
      let seat = this.#seats.get(candidate.id);
      if (seat === undefined) {
        seat = new Seat(candidate);
        seat.turn = this.#turn;
        this.#seats.set(candidate.id, seat);
      }
      seat.enter(candidate, now);
      return seat;
    });
    this.#pump();
  }

  /** The service is no more: everybody who waits, or asks later, gets this error. */
  end(error: PilothouseError): void {
    this.#ended = error;
    for (const waiter of [...this.#line]) waiter.reject(error);
    this.#stopWaking?.();
    this.#stopTelling?.();
    this.#stopWaking = undefined;
    this.#stopTelling = undefined;
  }

  /** A place that is free now; undefined: the request would have to wait. */
  tryAcquire(wish: Wish): Grant | undefined {
    if (this.#ended !== undefined) throw this.#ended;
    // Nobody who waits can use a place that is free, unless one has just come back: those go first.
    if (this.#line.size > 0) this.#pump();
    return this.#choose(wish);
  }

  /**
   * Waits for a place. The signal is looked at only where there is none at once.
   *
   * @throws PilothouseError QUEUE_FULL with `retryAfter`, what {@link end} was given, or the reason of the signal
   */
  acquire(asking: Asking): Promise<Grant> {
    let grant: Grant | undefined;
    try {
      grant = this.tryAcquire(asking);
    } catch (error) {
      return Promise.reject(error);
    }
    if (grant !== undefined) return Promise.resolve(grant);
    const { signal } = asking;
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#line.size >= this.#settings.queue) return Promise.reject(this.#full());
    return new Promise((resolve, reject) => {
      const settle =
        <T>(act: (value: T) => void) =>
        (value: T) => {
          if (!this.#line.delete(waiter)) return;
          signal.removeEventListener('abort', leave);
          act(value);
        };
      const leave = (): void => {
        waiter.reject(signal.reason);
        this.#options.onChange?.();
      };
      const waiter: Waiter = {
        asking,
        priority: asking.priority ?? 0,
        told: '',
        resolve: settle(resolve),
        reject: settle(reject),
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#line.add(waiter);
      this.#tell(waiter, this.#line.size - 1);
      this.#wake();
      this.#options.onChange?.();
    });
  }

  /** Whether an instance takes requests that is not among these. */
  hasOther(tried: ReadonlySet<string>): boolean {
    return this.#open.some(({ candidate }) => !tried.has(candidate.id));
  }

  /** An instance said how many requests it has, whoever sent them; direct clients learn of one another by this. */
  reported(id: string, total: number): void {
    this.#seats.get(id)?.reported(total);
  }

  /** Requests under way at an instance, one that takes nothing new included. */
  outstandingAt(id: string): number {
    return this.#seats.get(id)?.outstanding ?? 0;
  }

  /** What is known of the work of an instance; null for one that is not here. */
  loadOf(id: string): InstanceLoad | null {
    const now = this.#clock.now();
    return this.#seats.get(id)?.load(now, (moment) => new Date(Date.now() + moment - now).toISOString()) ?? null;
  }

  /** Quantiles and rates of the requests that ended of late. */
  measured(): Measured {
    return this.#meter.measured(this.#clock.now());
  }

  #choose(wish: Wish): Grant | undefined {
    const now = this.#clock.now();
    const options = this.#free(wish, now);
    if (!isSome(options)) return undefined;
    const choose = POLICIES[this.#settings.policy];
    const { seat, weight } = choose(options, { wish, random: this.#random, prefixes: this.#prefixes });
    this.#turn = Math.max(seat.turn, this.#turn - 1 / weight);
    seat.turn = this.#turn + 1 / weight;
    seat.outstanding += 1;
    this.#outstanding += 1;
    this.#options.onChange?.();
    return new Held(seat, (note) => this.#giveBack(seat, note));
  }

  /** Seats that this request may have now; those that are left out only where no healthy one is left for it. */
  #free(wish: Wish, now: number): Option[] {
    const settings = this.#settings;
    const options: Option[] = [];
    let healthy = false;
    for (const seat of this.#open) {
      if (!fits(seat, wish)) continue;
      healthy ||= seat.healthy(now);
      if (seat.free(now, settings)) options.push({ seat, weight: seat.weight(now, settings) });
    }
    if (healthy) return options;
    for (const seat of this.#open) {
      if (!fits(seat, wish) || seat.outstanding >= settings.concurrency) continue;
      if (!options.some((option) => option.seat === seat)) options.push({ seat, weight: seat.weight(now, settings) });
    }
    return options;
  }

  #giveBack(seat: Seat, note: End): void {
    const now = this.#clock.now();
    seat.outstanding -= 1;
    this.#outstanding -= 1;
    if (note.kind === 'succeeded') {
      seat.succeeded(note.total);
      this.#meter.succeeded(note.total, now);
    } else if (note.kind === 'failed') {
      seat.failed(note.why, note.refused, now, this.#settings);
      this.#meter.failed(now);
    }
    if (!seat.open && seat.outstanding === 0) this.#seats.delete(seat.candidate.id);
    this.#options.onChange?.();
    this.#pump();
  }

  /** Gives places to those who wait, in order. */
  #pump(): void {
    if (this.#line.size === 0) return;
    for (const waiter of this.#line) {
      const grant = this.#choose(waiter.asking);
      if (grant !== undefined) waiter.resolve(grant);
      else if (!this.#anyFree()) break;
    }
    this.#wake();
    if (this.#line.size > 0) {
      this.#stopTelling ??= this.#clock.after(TELL_EVERY, () => {
        this.#stopTelling = undefined;
        let ahead = 0;
        for (const one of this.#line) this.#tell(one, ahead++);
      });
    }
  }

  /** Whether somebody else in the line may find a place where one has found none. */
  #anyFree(): boolean {
    const now = this.#clock.now();
    const healthy = this.#open.some((seat) => seat.healthy(now));
    return this.#open.some((seat) =>
      healthy ? seat.free(now, this.#settings) : seat.outstanding < this.#settings.concurrency,
    );
  }

  /** Looks again when the next instance that is left out comes back. */
  #wake(): void {
    this.#stopWaking?.();
    this.#stopWaking = undefined;
    if (this.#line.size === 0) return;
    const now = this.#clock.now();
    const next = this.#open.reduce(
      (soonest, seat) => (seat.ejected(now) ? Math.min(soonest, seat.ejectedUntil) : soonest),
      Number.POSITIVE_INFINITY,
    );
    if (next === Number.POSITIVE_INFINITY) return;
    this.#stopWaking = this.#clock.after(Math.max(1, next - now), () => this.#pump());
  }

  #tell(waiter: Waiter, ahead: number): void {
    if (waiter.asking.onWait === undefined) return;
    const reason = this.#reason(ahead);
    if (reason.text === waiter.told) return;
    waiter.told = reason.text;
    waiter.asking.onWait(reason);
  }

  #reason(ahead: number): WaitReason {
    if (this.#open.length === 0) return waitsForService(this.#options.name, this.#options.whyNone);
    const places = this.#open.length * this.#settings.concurrency;
    const taken = this.#open.reduce((sum, { outstanding }) => sum + outstanding, 0);
    return waitsForPlace(this.#options.name, taken, places, ahead);
  }

  #full(): PilothouseError {
    const { name, ids } = this.#options;
    return queueFull(name, ids, this.#line.size, this.#meter.rate(this.#clock.now()));
  }
}

function fits({ candidate }: Seat, { instance, tried }: Wish): boolean {
  if (instance !== undefined && candidate.index !== instance) return false;
  return tried === undefined || !tried.has(candidate.id);
}
