import { PilothouseError, type ServiceSpec } from '@pilothouse/sdk/shared';
import { gpusOf } from '../launcher/found.js';
import type { Seen } from '../launcher/warden-messages.js';
import type { Claim, Grant, WaitReason } from '../scheduler/demand.js';
import type { Scheduler } from '../scheduler/scheduler.js';

/** The resources of one instance: asked for, held, given back. */
export class Seat {
  readonly #scheduler: Scheduler;
  readonly #claim: Claim;
  #grant: Grant | undefined;

  constructor(scheduler: Scheduler, id: string, service: ServiceSpec) {
    this.#scheduler = scheduler;
    this.#claim = { id, demand: service, kind: 'service' };
  }

  get taken(): boolean {
    return this.#grant !== undefined;
  }

  /** Takes what an earlier agent has been granted. @param found - the process that runs with it, where one does */
  book(found?: Seen): Grant {
    const grant = found
      ? this.#scheduler.book(this.#claim, [{ gpus: gpusOf(found) }])
      : this.#scheduler.book(this.#claim);
    this.#grant = grant;
    return grant;
  }

  /** What the pilot lacks, even when it is empty; undefined: nothing. */
  get impossible(): PilothouseError | undefined {
    const lack = this.#scheduler.pool.impossible(this.#claim.demand);
    if (lack === undefined) return undefined;
    const hint = 'ask for less, or use a larger pilot';
    return new PilothouseError('INVALID_DESCRIPTION', lack.text, { hint, field: `resources.${lack.field}` });
  }

  ask(granted: (grant: Grant) => void, waits: (why: WaitReason) => void): void {
    this.#scheduler.apply({
      ...this.#claim,
      granted: (grant) => {
        this.#grant = grant;
        granted(grant);
      },
      waits,
    });
  }

  /** Asks no more. */
  withdraw(): void {
    this.#scheduler.withdraw(this.#claim.id);
  }

  giveBack(): void {
    const grant = this.#grant;
    this.#grant = undefined;
    if (grant) this.#scheduler.release(grant);
  }
}
