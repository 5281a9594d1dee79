import { type InstanceState, instanceStates } from '@pilothouse/sdk/shared';
import type { Journal, JournalEntry } from '../journal/journal.js';
import type { Past } from '../journal/replay.js';
import type { Public } from '../node-context.js';

/** What earlier agents wrote about an instance. */
export type PastInstance = Past['instances'] extends ReadonlyMap<string, infer T> ? T : never;
type InstanceEntry = Extract<JournalEntry, { type: 'instance' }>;
/** What is known beside the state. */
export type InstanceDetails = Partial<Omit<InstanceEntry, 'type' | 'service' | 'id' | 'index' | 'state'>>;

/** Which instance of which service. */
export interface InstanceName {
  readonly service: string;
  readonly id: string;
  readonly index: number;
}

/** The state of an instance, which changes by the transition table alone and stands in the journal. */
export class InstanceRecord {
  readonly #journal: Public<Journal>;
  readonly #name: InstanceName;
  readonly #changed: () => void;
  #state: InstanceState;
  /** Whether a record of it stands in the journal. */
  #known: boolean;

  constructor(journal: Public<Journal>, name: InstanceName, past: PastInstance | undefined, changed: () => void) {
    this.#journal = journal;
    this.#name = name;
    this.#state = past?.state ?? 'NEW';
    this.#known = past !== undefined;
    this.#changed = changed;
  }

  get state(): InstanceState {
    return this.#state;
  }

  get over(): boolean {
    return instanceStates.isFinal(this.#state);
  }

  /**
   * Enters a state; the reason of the one before is gone unless a new one is given.
   *
   * @param done - called when it stands in the journal
   * @returns number of the journal record
   * @throws RangeError when the state may not follow
   */
  enter(state: InstanceState, details: InstanceDetails = {}, done?: () => void): number {
    if (state !== this.#state && !instanceStates.allows(this.#state, state)) {
      throw new RangeError(`an instance does not go from ${this.#state} to ${state}`);
    }
    this.#state = state;
    const seq = this.note({ reason: null, ...details }, done);
    this.#changed();
    return seq;
  }

  /** Writes down what became known without a change of state. */
  note(details: InstanceDetails, done?: () => void): number {
    const { service, id, index } = this.#name;
    const first = this.#known ? {} : { index };
    this.#known = true;
    const entry: InstanceEntry = { type: 'instance', service, id, ...first, state: this.#state, ...details };
    return this.#journal.append(entry, done);
  }
}
