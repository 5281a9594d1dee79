import type { Demand, Grant, Pool, Shortage } from './pool.js';

/** Services go before tasks: tasks may wait for them. */
export type Priority = 'service' | 'task';

/** Something that waits for resources. */
export interface Applicant {
  readonly id: string;
  readonly demand: Demand;
  readonly priority: Priority;
  /** Called once, when the resources are its own. */
  granted(grant: Grant): void;
}

/** Why something is not started yet. */
export interface WaitReason {
  readonly code: Shortage['code'] | 'WAITS_FOR_TURN';
  readonly text: string;
}

interface Waiting extends Applicant {
  /** How many that came later were started before it. */
  passed: number;
}

/**
 * First come, first served, services before tasks. Something small may pass what does not fit at the moment, but only
 * so often: after that everything behind it waits, so that nothing starves.
 */
export class Scheduler {
  readonly pool: Pool;
  readonly #mayPass: number;
  readonly #queues: Record<Priority, Map<string, Waiting>> = { service: new Map(), task: new Map() };
  #held = true;

  /**
   * @param mayPass - how many later ones may be started before one that waits
   */
  constructor(pool: Pool, mayPass = 16) {
    this.pool = pool;
    this.#mayPass = mayPass;
  }

  get waiting(): number {
    return this.#queues.service.size + this.#queues.task.size;
  }

  /** Starts granting; until then what ran before a restart is booked. */
  begin(): void {
    this.#held = false;
    this.pump();
  }

  /** Puts something into the queue; it may be granted within this call. */
  apply(applicant: Applicant): void {
    this.#queues[applicant.priority].set(applicant.id, { ...applicant, granted: applicant.granted, passed: 0 });
    this.pump();
  }

  /** Takes something out of the queue; tells whether it was there. */
  withdraw(id: string): boolean {
    const found = this.#queues.service.delete(id) || this.#queues.task.delete(id);
    // What waited behind it may be free to go.
    if (found) this.pump();
    return found;
  }

  release(grant: Grant): void {
    this.pool.give(grant);
    this.pump();
  }

  /** Why this one still waits; undefined: nothing is in its way. */
  reason(id: string): WaitReason | undefined {
    const one = this.#queues.service.get(id) ?? this.#queues.task.get(id);
    if (one === undefined) return undefined;
    const shortage = this.pool.shortage(one.demand);
    if (shortage) return shortage;
    const before = [...this.#queues.service.values(), ...this.#queues.task.values()].indexOf(one);
    if (before === 0) return undefined;
    return { code: 'WAITS_FOR_TURN', text: `waits for its turn behind ${before} other${before === 1 ? '' : 's'}` };
  }

  /** Grants what can be granted now. */
  pump(): void {
    if (this.#held) return;
    const blocked: Waiting[] = [];
    for (const queue of [this.#queues.service, this.#queues.task]) {
      for (const one of [...queue.values()]) {
        if (blocked.some(({ passed }) => passed >= this.#mayPass)) return;
        // A callback may have withdrawn it.
        if (!queue.has(one.id)) continue;
        if (this.pool.shortage(one.demand)) {
          blocked.push(one);
          continue;
        }
        queue.delete(one.id);
        for (const other of blocked) other.passed += 1;
        one.granted(this.pool.take(one.demand));
      }
    }
  }
}
