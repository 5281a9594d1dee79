import type { ErrorData, Placement, Reason } from '@pilothouse/sdk/shared';
import type { Applicant, Claim, Grant } from '../scheduler/demand.js';
import type { Call } from './call.js';
import { Queue } from './queue.js';
import type { PoolSpec } from './spec.js';
import type { Worker } from './worker.js';

/** Milliseconds for which a worker that rests is kept. */
const REST_MS = 30_000;
/** Milliseconds after which a worker that was given several calls counts as held up by the first. */
const HELD_UP_MS = 50;
/** Milliseconds after which a worker gives its resources to others that wait, between two calls. */
const TURN_MS = 1000;
/** The same for workers whose start may take long, as they hold GPUs or much memory. */
const LONG_TURN_MS = 60_000;
/** Workers in a row that may be killed before they have done anything. */
const UNLUCKY = 5;
/** Calls that are told why they wait: the first ones. It is one record in the journal for each. */
const TOLD = 32;

/** What a pool needs of the node. */
export interface PoolHost {
  readonly scheduler: {
    apply(applicant: Applicant): void;
    withdraw(id: string): boolean;
    release(grant: Grant): void;
    readonly waiting: number;
    readonly held: boolean;
  };
  /** Starts a worker that holds a grant; the pool hears of it by `joined` or `failed`. */
  spawn(pool: Pool, grant: Grant): Worker;
  placed(grant: Grant): Placement;
  /** Wants `tick` from now on. */
  wake(): void;
}

/** The workers of one kind, and the calls that wait for them. */
export class Pool implements Applicant {
  readonly id: string;
  readonly kind = 'task';
  readonly demand: Claim['demand'];
  readonly priority: number;
  readonly expects: number | undefined;
  readonly spec: PoolSpec;
  readonly #host: PoolHost;
  readonly #queue = new Queue();
  readonly #workers = new Set<Worker>();
  #applied = false;
  #why: Omit<Reason, 'since'> | undefined;
  /** Workers in a row that were killed before they did anything. */
  #endedEarly = 0;
  #pumping = false;
  #pumpAgain = false;

  constructor(id: string, spec: PoolSpec, host: PoolHost) {
    this.id = id;
    this.spec = spec;
    this.demand = spec.demand;
    this.priority = spec.priority;
    this.expects = spec.expects;
    this.#host = host;
  }

  get empty(): boolean {
    return this.#workers.size === 0 && this.#queue.size === 0;
  }

  /** Whether its workers keep what they hold while they rest: GPUs, which a process does not let go, and memory. */
  get #keeps(): boolean {
    return this.demand.gpus > 0 || (this.demand.memory ?? 0) > 0;
  }

  add(call: Call): void {
    this.#queue.push(call);
    this.pump();
    if (this.#why !== undefined && this.#queue.size <= TOLD && !call.over) call.waits(this.#why.text);
  }

  /** Takes a call that waits out of the queue. */
  cancel(call: Call): void {
    this.#queue.left();
    call.canceled();
    this.pump();
  }

  /** A worker of an earlier agent is one of this pool. */
  adopt(worker: Worker): void {
    this.#workers.add(worker);
    this.#host.wake();
  }

  /** A worker has ended: what it has not begun goes to others. */
  lost(worker: Worker, back: readonly Call[]): void {
    this.#workers.delete(worker);
    this.#release(worker);
    this.again(back);
  }

  /** Calls come back that have not begun. */
  again(calls: readonly Call[]): void {
    for (const call of calls) if (call.ending !== undefined) call.canceled();
    this.#queue.unshift(calls.filter((call) => !call.over));
    this.pump();
  }

  /**
   * A worker has ended before it did anything: whether another would too. One that exits by itself has a reason that stays;
   * one that was killed may have been unlucky.
   */
  isHopeless(code: number): boolean {
    this.#endedEarly += 1;
    return code >= 0 || this.#endedEarly >= UNLUCKY;
  }

  /** A worker has done something. */
  hasHope(): void {
    this.#endedEarly = 0;
  }

  /** No worker can be started: every call that waits ends with the same error. */
  failed(error: ErrorData): void {
    this.#endedEarly = 0;
    for (const call of this.#queue.take(Number.POSITIVE_INFINITY)) call.ended({ ok: false, kind: 'start', error });
    this.pump();
  }

  /** Why a call of this pool has not started. */
  explain(): { text: string; evidence: readonly string[] } | undefined {
    if (this.#why !== undefined) return { text: this.#why.text, evidence: [] };
    const starting = [...this.#workers].some((worker) => !worker.connected);
    const text = starting
      ? 'a worker is starting'
      : `waits for a worker; ${this.#queue.size} calls wait, ${this.#busy} run`;
    return { text, evidence: [] };
  }

  // The scheduler

  granted(grant: Grant): void {
    this.#applied = false;
    this.#why = undefined;
    if (this.#queue.size === 0) {
      this.#host.scheduler.release(grant);
      return;
    }
    const worker = (this.#keeps ? undefined : this.#resting()) ?? this.#host.spawn(this, grant);
    this.#workers.add(worker);
    worker.holds(grant, this.#host.placed(grant));
    this.#host.wake();
    this.pump();
  }

  waits({ code, text }: Omit<Reason, 'since'>): void {
    this.#why = { code, text };
    for (const call of this.#queue.first(TOLD)) call.waits(text);
  }

  // The work

  /** Hands out what can be handed out, and asks for more workers where that is not enough. */
  pump(): void {
    // What is asked for here may be granted, and ended, before the call returns.
    this.#pumpAgain = true;
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#pumpAgain) {
        this.#pumpAgain = false;
        this.#pumpOnce();
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** Called from time to time while there are workers. @returns milliseconds until it should be called again */
  tick(now: number): number {
    let next = REST_MS;
    for (const worker of [...this.#workers]) {
      if (worker.given > 1) {
        next = HELD_UP_MS;
        if (worker.heldUp(now) > HELD_UP_MS) this.again(worker.takeBack());
      } else if (!worker.busy && worker.connected && !worker.dismissed) {
        worker.acknowledgeNow();
        const wanted = worker.grant !== undefined && this.#othersWait;
        const left = worker.leaving || wanted ? 0 : worker.restsSince + REST_MS - now;
        if (left <= 0 && !worker.untold) worker.dismiss();
        else next = Math.min(next, worker.grant === undefined ? Math.max(left, 1000) : 250);
      }
    }
    return next;
  }

  #pumpOnce(): void {
    this.#handOut();
    for (const worker of this.#workers) if (!worker.busy) this.#rest(worker);
    const wants = this.#queue.size > this.#starting;
    if (wants && !this.#applied) {
      this.#applied = true;
      this.#host.scheduler.apply(this);
    } else if (this.#queue.size === 0 && this.#applied) {
      this.#applied = false;
      this.#host.scheduler.withdraw(this.id);
    }
  }

  #handOut(): void {
    const { size } = this.#queue;
    if (size === 0 || this.#host.scheduler.held) return;
    for (const worker of this.#byLoad()) {
      if (this.#queue.size === 0) return;
      if (this.#turnIsOver(worker)) continue;
      const calls = this.#queue.take(worker.room);
      if (calls.length === 0) continue;
      worker.give(calls);
      if (worker.given > 1) this.#host.wake();
    }
  }

  *#byLoad(): Iterable<Worker> {
    if (this.#workers.size === 1) {
      yield* this.#workers;
      return;
    }
    yield* [...this.#workers].filter((worker) => worker.room > 0).sort((a, b) => a.given - b.given);
  }

  /** A worker that has held its resources for a while lets others have them before it goes on. */
  #turnIsOver(worker: Worker): boolean {
    return performance.now() - worker.grantedAt > (this.#keeps ? LONG_TURN_MS : TURN_MS) && this.#othersWait;
  }

  get #othersWait(): boolean {
    return this.#host.scheduler.waiting > (this.#applied ? 1 : 0);
  }

  #rest(worker: Worker): void {
    if (!worker.connected || worker.grant === undefined) return;
    if (this.#queue.size > 0 && !worker.leaving && !this.#turnIsOver(worker) && !this.#host.scheduler.held) return;
    if (!this.#keeps) this.#release(worker);
    this.#host.wake();
  }

  #release(worker: Worker): void {
    const grant = worker.releases();
    if (grant !== undefined) this.#host.scheduler.release(grant);
  }

  #resting(): Worker | undefined {
    for (const worker of this.#workers) {
      if (worker.grant === undefined && worker.connected && !worker.leaving) return worker;
    }
    return undefined;
  }

  get #starting(): number {
    let count = 0;
    for (const worker of this.#workers) if (!worker.connected && worker.grant !== undefined && !worker.busy) count += 1;
    return count;
  }

  get #busy(): number {
    let count = 0;
    for (const worker of this.#workers) count += worker.given;
    return count;
  }
}
