import type { Applicant, Claim, Demand, Explanation, Grant, Kind, Place, WaitReason } from './demand.js';
import type { Pool } from './pool.js';

export type { Applicant, Claim, Grant, Place, WaitReason } from './demand.js';

interface Waiting {
  readonly applicant: Applicant;
  /** How many that came later were started before it. */
  passed: number;
  told: WaitReason['code'] | undefined;
}

/** How many that do not fit are looked at before the rest has to wait: a queue may hold tens of thousands. */
const LOOK_AHEAD = 64;

type Queues = Readonly<Record<Kind, Map<string, Waiting>>>;

/**
 * First come, first served, services before tasks. Something small may pass what does not fit at the moment, but only
 * so often: after that everything behind it waits, so that nothing starves. What takes nothing has queues of its own: it
 * neither holds up the others nor waits for them.
 */
export class Scheduler {
  readonly pool: Pool;
  readonly #mayPass: number;
  readonly #heavy: Queues = { service: new Map(), task: new Map() };
  readonly #light: Queues = { service: new Map(), task: new Map() };
  #held = true;

  /**
   * @param mayPass - how many later ones may be started before one that waits
   */
  constructor(pool: Pool, mayPass = 16) {
    this.pool = pool;
    this.#mayPass = mayPass;
  }

  get waiting(): number {
    return this.#all().reduce((sum, queue) => sum + queue.size, 0);
  }

  /** Starts granting; until then what ran before a restart is booked. */
  begin(): void {
    this.#held = false;
    this.pump();
    for (const queue of this.#all()) for (const one of [...queue.values()]) this.#tell(one);
  }

  /** Grants nothing new until `begin`. */
  hold(): void {
    this.#held = true;
  }

  /** Books what runs already, as after a restart of the agent: `at` says where, one entry per node. */
  book(claim: Claim, at: readonly Place[] = []): Grant {
    return this.pool.book(claim.demand, at[0]?.gpus, claim.id);
  }

  /** When the pilot ends by itself, in milliseconds since 1970; undefined: not known. */
  setEnd(_endsAt: number | undefined): void {}

  /** Why something that waits has not been started; undefined: it does not wait here. */
  explain(id: string): Explanation | undefined {
    const one = this.#all()
      .map((queue) => queue.get(id))
      .find((found) => found !== undefined);
    return one && { text: this.pool.shortage(one.applicant.demand)?.text ?? this.#turn(one.applicant).text, evidence: [] };
  }

  /** Puts something into the queue; it may be granted within this call. */
  apply(applicant: Applicant): void {
    const queue = this.#queueOf(applicant);
    const one: Waiting = { applicant, passed: 0, told: undefined };
    queue.set(applicant.id, one);
    this.pump();
    if (!this.#held && queue.get(applicant.id) === one) this.#tell(one);
  }

  /** Takes something out of the queue; tells whether it was there. */
  withdraw(id: string): boolean {
    const found = this.#all().some((queue) => queue.delete(id));
    // What waited behind it may be free to go.
    if (found) this.pump();
    return found;
  }

  release(grant: Grant): void {
    this.pool.give(grant);
    this.pump();
  }

  /** Grants what can be granted now. */
  pump(): void {
    if (this.#held) return;
    this.#pump(this.#heavy);
    this.#pump(this.#light);
  }

  #pump({ service, task }: Queues): void {
    const blocked: Waiting[] = [];
    for (const queue of [service, task]) {
      // A callback may withdraw others or apply anew; a map's iterator follows both.
      for (const [id, one] of queue) {
        if (this.pool.shortage(one.applicant.demand)) {
          blocked.push(one);
        } else {
          queue.delete(id);
          for (const other of blocked) other.passed += 1;
          one.applicant.granted(this.pool.take(one.applicant.demand, id));
        }
        if (blocked.length >= LOOK_AHEAD || blocked.some(({ passed }) => passed >= this.#mayPass)) {
          for (const other of blocked) this.#tell(other);
          return;
        }
      }
    }
    for (const other of blocked) this.#tell(other);
  }

  /** Says what it waits for, unless it was the same the last time. */
  #tell(one: Waiting): void {
    const { applicant, told } = one;
    if (!this.#queueOf(applicant).has(applicant.id)) return;
    const reason = this.pool.shortage(applicant.demand) ?? this.#turn(applicant);
    if (reason.code === told) return;
    one.told = reason.code;
    applicant.waits({ code: reason.code, text: reason.text });
  }

  #all(): Map<string, Waiting>[] {
    return [this.#heavy.service, this.#heavy.task, this.#light.service, this.#light.task];
  }

  #queueOf({ demand, kind }: Applicant): Map<string, Waiting> {
    return this.#queuesFor(demand)[kind];
  }

  #queuesFor(demand: Demand): Queues {
    return this.pool.isLight(demand) ? this.#light : this.#heavy;
  }

  #turn({ demand, kind }: Applicant): WaitReason {
    const { service, task } = this.#queuesFor(demand);
    const others = service.size + (kind === 'task' ? task.size : 0) - 1;
    return { code: 'WAITS_FOR_TURN', text: `waits for its turn; ${others} other${others === 1 ? '' : 's'} wait too` };
  }
}
