import type { SpoolRecord } from '@pilothouse/sdk/shared';
import type { Offers } from '../spool/offers.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import type { Tasks } from '../tasks/tasks.js';
import type { Requests } from './requests.js';

/** What orders do with the pilot itself. */
export interface Ordered {
  suspend(suspended: boolean): void;
  keep(): void;
  drain(): void;
  /** @param endsAt - milliseconds since 1970 */
  extend(endsAt: number): void;
  end(code: string, text: string): void;
}

/** What is on a pilot. */
export interface Work {
  readonly tasks: Tasks;
  readonly services: Supervisor;
  readonly requests: Requests;
  readonly offers: Offers;
}

/** Obeys what bridges have written for the pilot. */
export class Orders {
  readonly #pilot: Ordered;
  readonly #tasks: Tasks;
  readonly #services: Supervisor;
  readonly #requests: Requests;
  readonly #offers: Offers;
  /** Offers that an earlier agent has claimed. */
  readonly #claims: ReadonlySet<string>;
  /** While what an earlier agent has read is read again: the last word counts, and what was said before is no news. */
  #again = true;
  #suspended: boolean | undefined;

  constructor(pilot: Ordered, { tasks, services, requests, offers }: Work, claims: ReadonlySet<string>) {
    this.#pilot = pilot;
    this.#tasks = tasks;
    this.#services = services;
    this.#requests = requests;
    this.#offers = offers;
    this.#claims = claims;
  }

  /** Everything that was there at the start has been read. */
  caughtUp(): void {
    this.#again = false;
    this.#services.caughtUp();
    this.#requests.batches.begin();
    if (this.#suspended !== undefined) this.#pilot.suspend(this.#suspended);
  }

  obey(record: SpoolRecord): void {
    switch (record.type) {
      case 'tasks':
        this.#take(record);
        break;
      case 'service':
        this.#services.submit(record.service);
        break;
      case 'cancel-tasks':
        this.#offers.cancel(record.tasks ?? [], record.set);
        this.#tasks.cancel(record.tasks ?? [], record.set);
        break;
      case 'settled':
        this.#tasks.settle(record.tasks);
        break;
      case 'control':
        this.#control(record.action);
        break;
      case 'extend':
        this.#pilot.extend(Date.parse(record.endsAt));
        break;
      case 'remote-service':
        this.#requests.remote(record.service);
        this.#services.remote(record.service);
        break;
      case 'batch':
        this.#requests.batches.submit(record.batch);
        break;
      case 'cancel-batch':
        this.#requests.batches.cancel(record.batch);
        break;
      case 'scale':
        this.#services.scale(record.seq, record.t, record.service, record.min, record.max);
        break;
      case 'drain':
        this.#services.drain(record.seq, record.service, record.instance);
        break;
      case 'restart':
        this.#services.restart(record.seq, record.service, record.instance);
        break;
      case 'stop':
        this.#services.stop(record.service);
        break;
      case 'end':
        this.#pilot.end('ENDED', 'it was ended');
        break;
    }
  }

  #take({ batch, offer, giveBack }: Extract<SpoolRecord, { type: 'tasks' }>): void {
    if (offer === undefined) this.#tasks.submit(batch, { mayMove: giveBack ?? false });
    // What it has claimed is its own, and may run already.
    else if (this.#claims.has(offer)) this.#tasks.submit(batch, { mayMove: true });
    else this.#offers.add({ offer, batch });
  }

  #control(action: Extract<SpoolRecord, { type: 'control' }>['action']): void {
    if (action === 'keep') this.#pilot.keep();
    else if (action === 'drain') this.#pilot.drain();
    else if (this.#again) this.#suspended = action === 'suspend';
    else this.#pilot.suspend(action === 'suspend');
  }
}
