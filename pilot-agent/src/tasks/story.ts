import { type Reason, type TaskState, taskStates } from '@pilothouse/sdk/shared';
import type { Journal } from '../journal/journal.js';
import type { Public } from '../node-context.js';
import type { Diary, Teller } from './diary.js';
import type { TaskDetails } from './task-host.js';

const ON_THE_WAY: readonly TaskState[] = ['SCHEDULING', 'LAUNCHING', 'RUNNING'];

/** The states of one task as the journal gets them: each once, those that follow each other quickly in one record. */
export class Story implements Teller {
  readonly #id: string;
  readonly #journal: Public<Journal>;
  readonly #diary: Diary;
  #state: TaskState;
  #reason: Reason | null = null;
  /** States entered and left since the last record, and what is to be told with the present one. */
  #passed: [TaskState, string][] | undefined;
  #untold: { readonly t: string; readonly details: TaskDetails } | undefined;

  constructor(id: string, state: TaskState, journal: Public<Journal>, diary: Diary) {
    this.#id = id;
    this.#state = state;
    this.#journal = journal;
    this.#diary = diary;
  }

  get state(): TaskState {
    return this.#state;
  }

  get reason(): Reason | null {
    return this.#reason;
  }

  /** Enters every state on the way to this one that it has not been in. */
  advance(target: 'LAUNCHING' | 'RUNNING', details?: TaskDetails): void {
    if (this.#state === 'STAGING_OUTPUT') return;
    const from = ON_THE_WAY.indexOf(this.#state === 'STAGING_INPUT' ? 'SCHEDULING' : this.#state);
    for (const state of ON_THE_WAY.slice(from + 1, ON_THE_WAY.indexOf(target) + 1)) {
      this.enter(state, state === target ? details : undefined);
    }
  }

  /** Enters a state, or tells something new of the present one; it is written down within a moment. */
  enter(state: TaskState, details: TaskDetails = {}): void {
    const before = this.#leave(state);
    const t = state === this.#state && before !== undefined ? before.t : new Date().toISOString();
    this.#state = state;
    this.#reason = details.reason ?? null;
    this.#untold = { t, details: { ...before?.details, ...details, reason: this.#reason } };
    this.#diary.later(this);
  }

  /** Enters a state that is written down now, with everything that was kept back. */
  note(state: TaskState, details: TaskDetails, done?: () => void): void {
    const before = this.#leave(state);
    const passed = this.#passed;
    this.#untold = undefined;
    this.#passed = undefined;
    this.#state = state;
    if (details.reason !== undefined) this.#reason = details.reason;
    this.#journal.append(
      {
        type: 'task',
        id: this.#id,
        state,
        ...(passed === undefined ? {} : { passed }),
        ...before?.details,
        ...details,
      },
      done,
    );
  }

  tell(): void {
    if (this.#untold !== undefined) this.note(this.#state, {});
  }

  close(): void {
    this.#diary.forget(this);
  }

  #leave(next: TaskState): { readonly t: string; readonly details: TaskDetails } | undefined {
    if (next !== this.#state && !taskStates.canReach(this.#state, next)) {
      throw new RangeError(`a task does not go from ${this.#state} to ${next}`);
    }
    const before = this.#untold;
    if (before !== undefined && next !== this.#state) {
      this.#passed ??= [];
      this.#passed.push([this.#state, before.t]);
    }
    return before;
  }
}
