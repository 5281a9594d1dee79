import { type InstanceState, instanceStates } from '@pilothouse/sdk/shared';
import type { Journal, JournalEntry } from '../journal/journal.js';
import type { Past } from '../journal/replay.js';
import type { Public } from '../node-context.js';

/** What earlier agents wrote about an instance. */
export type PastInstance = Past['instances'] extends ReadonlyMap<string, infer T> ? T : never;
type InstanceEntry = Extract<JournalEntry, { type: 'instance' }>;
/** What is known beside the state. */
export type InstanceDetails = Partial<Omit<InstanceEntry, 'type' | 'service' | 'id' | 'state'>>;

/** The state of an instance, which changes by the transition table alone and stands in the journal. */
export class InstanceRecord {
  readonly #journal: Public<Journal>;
  readonly #service: string;
  readonly #id: string;
  readonly #changed: () => void;
  #state: InstanceState;

  constructor(journal: Public<Journal>, service: string, id: string, state: InstanceState, changed: () => void) {
    this.#journal = journal;
    this.#service = service;
    this.#id = id;
    this.#state = state;
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
    const entry: InstanceEntry = {
      type: 'instance',
      service: this.#service,
      id: this.#id,
      state: this.#state,
      ...details,
    };
    return this.#journal.append(entry, done);
  }
}
