import {
  type ErrorData,
  type PilothouseError,
  type ResolvedTaskDescription,
  type SpooledTask,
  type TaskState,
  toErrorData,
} from '@pilothouse/sdk/shared';
import type { Past } from '../journal/replay.js';
import { log } from '../log.js';
import type { Demand } from '../scheduler/demand.js';
import { Attempt } from './attempt.js';
import type { AttemptEnd, AttemptOwner } from './attempt-owner.js';
import { demandOf } from './demand.js';
import { describe, fieldOf } from './description.js';
import { detailsOf, reason } from './details.js';
import { outcomeOf } from './outcome.js';
import { type Expectant, Preconditions } from './preconditions.js';
import type { Retry } from './retries.js';
import { Story } from './story.js';
import type { TaskDetails, TaskHost } from './task-host.js';
import { mayGoOn, Tries } from './tries.js';
import type { Submission } from './work.js';

export type PastTask = Past['tasks'] extends ReadonlyMap<string, infer T> ? T : never;

/** What a task tells those who count. */
export interface TaskHooks {
  running(change: 1 | -1): void;
  /** It is final, and that is on its way to the journal, in the order in which it is told here. */
  ended(task: Task, state: TaskState): void;
  /** It is final and written down; without a state it was given back, and goes on elsewhere. */
  over(task: Task, last: TaskDetails & { readonly state?: TaskState }): void;
}

const NONE: readonly never[] = [];

/** One task, from the spool to its final record in the journal. */
export class Task implements AttemptOwner, Expectant {
  readonly submission: Submission;
  readonly spooled: SpooledTask;
  readonly #host: TaskHost;
  readonly #hooks: TaskHooks;
  readonly #story: Story;
  #preconditions: Preconditions | undefined;
  #attempt: Attempt | undefined;
  readonly #tries: Tries;
  #timer: NodeJS.Timeout | undefined;
  #over = false;
  #cause: PilothouseError | undefined;

  constructor(
    host: TaskHost,
    submission: Submission,
    spooled: SpooledTask,
    past: PastTask | undefined,
    hooks: TaskHooks,
  ) {
    this.submission = submission;
    this.spooled = spooled;
    this.#host = host;
    this.#hooks = hooks;
    this.#story = new Story(spooled.id, past?.state ?? 'NEW', host.context.journal, host.diary);
    this.#tries = new Tries(spooled, past);
  }

  get id(): string {
    return this.spooled.id;
  }

  get name(): string {
    return this.spooled.name;
  }

  get state(): TaskState {
    return this.#story.state;
  }

  get after(): readonly NonNullable<SpooledTask['after']>[number][] {
    return this.spooled.after ?? NONE;
  }

  get services(): readonly string[] {
    return this.spooled.services ?? NONE;
  }

  get inputs(): readonly string[] {
    return this.#field('inputs');
  }

  get caller(): string {
    return this.submission.cwd;
  }

  /** Whether an attempt has more than asked for resources. */
  get started(): boolean {
    return this.#attempt?.begun ?? false;
  }

  get attempt(): number {
    return this.#tries.number;
  }

  get description(): ResolvedTaskDescription {
    return describe(this.submission, this.spooled.entry);
  }

  /** Goes on from wherever an earlier agent has left it. */
  begin(past: PastTask | undefined): void {
    const { state } = this;
    if (past !== undefined || this.#host.restarted) {
      const attempt = new Attempt(this.#host, this, this.#tries.number, this.#tries.memory);
      const ranFor = past?.state === 'RUNNING' ? Date.now() - Date.parse(past.t) : 0;
      this.#attempt = attempt;
      if (attempt.adopt(past?.placement, ranFor)) return;
      this.#attempt = undefined;
    }
    if (state === 'RUNNING' || state === 'STAGING_OUTPUT') {
      this.attemptOver({ run: { ok: false, kind: 'lost' }, cause: undefined, staging: undefined, failed: undefined });
      return;
    }
    const impossible = this.#host.impossible(this.#demand);
    if (impossible) {
      const { field, text: message } = impossible;
      const hint = 'ask for less, or use a larger pilot';
      this.#fail({ code: 'INVALID_DESCRIPTION', message, hint, field, retryable: false, ids: {} });
      return;
    }
    // Begun, but nobody has ever heard of it: it starts over.
    if (state === 'LAUNCHING' || state === 'STAGING_INPUT') this.enter('WAITING');
    if (past?.reason?.code !== 'BACK_OFF') this.#proceed();
    else
      this.#waitBefore(
        Math.max(0, this.#tries.delay(this.#field('retries')) - (Date.now() - Date.parse(past.reason.since)) / 1000),
      );
  }

  dependencyEnded(): void {
    this.recheck();
  }

  /** Something that it waits for may have come. */
  recheck(): void {
    if (this.#attempt === undefined && this.#timer === undefined) this.#preconditions?.check();
  }

  /** Ends it, whatever it does; `cause` says why when nobody asked for it. */
  cancel(cause: PilothouseError | undefined): void {
    if (this.#over) return;
    this.#cause ??= cause;
    if (this.#attempt) this.#attempt.end('cancel');
    else this.#end('CANCELED', {});
  }

  /**
   * The pilot's time is over. What has started is cut off; what has not is left as it is, and whoever ends the pilot
   * gives it to another one.
   */
  timeOver(): void {
    if (this.started) this.#attempt?.end('walltime');
    else this.#leave();
  }

  /** Gives it back before it has started, with a word about why. */
  giveBack(code: string, text: string): void {
    if (this.#over || this.started) return;
    this.enter('WAITING', { reason: reason(code, text), attempt: this.#tries.number });
    this.#leave();
  }

  /** The warden is gone for good. */
  lose(): void {
    if (this.started) this.#attempt?.lose();
    else this.#leave();
  }

  explain(): { readonly text: string; readonly evidence: readonly string[] } {
    const { text = `it is ${this.state}`, evidence } = this.#story.reason ?? {};
    const told = { text, evidence: evidence === undefined ? [] : [evidence] };
    if (this.#attempt) return this.#attempt.explain() ?? told;
    const precondition = this.#host.dependencies.check(this.after);
    return precondition.state === 'waits' ? precondition : told;
  }

  // What comes before it

  ready(): void {
    if (this.#over) return;
    this.#preconditions?.close();
    this.#preconditions = undefined;
    this.#attempt = new Attempt(this.#host, this, this.#tries.number, this.#tries.memory);
    this.#attempt.begin();
  }

  waits(code: string, text: string, evidence?: string): void {
    if (this.state === 'WAITING' && this.#story.reason?.text === text) return;
    this.enter('WAITING', { reason: reason(code, text, evidence) });
  }

  hopeless(error: PilothouseError, needed: boolean): void {
    if (needed) {
      this.#fail(error.toJSON());
      return;
    }
    this.#cause = error;
    this.#end('CANCELED', {});
  }

  #proceed(): void {
    const { spooled } = this;
    const awaited = spooled.after !== undefined || spooled.services !== undefined || this.inputs.length > 0;
    if (!awaited) {
      this.ready();
      return;
    }
    this.#preconditions = new Preconditions(this.#host, this);
    this.#preconditions.check();
  }

  // Its attempts

  enter(state: TaskState, details?: TaskDetails): void {
    if (!this.#over) this.#story.enter(state, details);
  }

  advance(state: 'LAUNCHING' | 'RUNNING', details?: TaskDetails): void {
    if (!this.#over) this.#story.advance(state, details);
  }

  running(change: 1 | -1): void {
    this.#hooks.running(change);
  }

  attemptOver(end: AttemptEnd): void {
    const { context } = this.#host;
    const attempt = this.#attempt;
    this.#attempt = undefined;
    const limits = { checkpoint: this.#field('checkpoint'), maxDuration: this.#field('maxDuration') };
    const outcome = outcomeOf(end, { id: this.id, name: this.name, pilot: context.pilot.id }, limits);
    const details: TaskDetails = { ...detailsOf(end.run), ...(end.staging ? { staging: [...end.staging] } : {}) };
    const settled = (): void => this.#settled(end, attempt);
    if (outcome.state === 'DONE' || outcome.state === 'CANCELED') {
      this.#end(outcome.state, details, settled);
    } else if (outcome.state === 'CUT_OFF') {
      const goesOn = !outcome.ran || mayGoOn(this.#field('retries'), this.#field('checkpoint'));
      if (goesOn) this.#cutOff(outcome.error, details, settled);
      else this.#end('FAILED', { ...details, error: outcome.error }, settled);
    } else {
      const { memory } = this.#demand;
      const retry = this.#tries.after(this.#field('retries'), outcome.failure, memory, context.pilot.memory);
      if (retry === undefined) this.#end('FAILED', { ...details, error: outcome.error }, settled);
      // With the warden gone for good, this pilot is over.
      else if (this.#host.lost) this.#cutOff(outcome.error, details, settled);
      else this.#retry(retry, outcome.error, details, settled);
    }
  }

  /** What is to be done when the end of an attempt is in the journal. */
  #settled({ run }: AttemptEnd, attempt: Attempt | undefined): void {
    if (attempt === undefined || run === undefined) return;
    attempt.acknowledge();
    if (run.output === undefined) return;
    const { output } = this.#host.context;
    output.discard(this.id).catch((error: unknown) => log(`output of ${this.id} is left on the node`, error));
  }

  #cutOff(error: ErrorData, details: TaskDetails, settled: () => void): void {
    const why = reason(error.code, `${error.message}; it goes on in the next pilot`);
    this.#story.note('WAITING', { ...details, ...this.#tries.details, reason: why }, settled);
    this.#leave();
  }

  #retry(retry: Retry, error: ErrorData, details: TaskDetails, settled: () => void): void {
    // Its output is packed and its number written down before the next one writes to the same place.
    this.#story.note('WAITING', { ...details, ...this.#tries.next(retry, error) }, () => {
      settled();
      if (!this.#over) this.#waitBefore(retry.delay);
    });
  }

  #waitBefore(seconds: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#proceed();
    }, seconds * 1000);
  }

  #fail(error: ErrorData): void {
    this.#end('FAILED', { error: { ...error, ids: { ...error.ids, task: this.id } } });
  }

  #end(state: 'DONE' | 'FAILED' | 'CANCELED', details: TaskDetails, settled?: () => void): void {
    if (this.#over) return;
    const cause = state === 'CANCELED' && this.#cause ? { error: toErrorData(this.#cause) } : {};
    const last = { ...details, ...cause, reason: null };
    this.#story.note(state, last, () => {
      settled?.();
      this.#hooks.over(this, { ...last, state });
    });
    this.#close();
    this.#hooks.ended(this, state);
  }

  /** Goes out of sight without an end: it is not this pilot's any more. */
  #leave(): void {
    if (this.#over) return;
    this.#story.tell();
    this.#attempt?.withdraw();
    this.#close();
    this.#hooks.over(this, {});
  }

  #close(): void {
    this.#over = true;
    this.#attempt = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#story.close();
    this.#preconditions?.close();
    this.#preconditions = undefined;
  }

  get #demand(): Demand {
    return demandOf(this.submission, this.spooled.entry, this.#tries.memory);
  }

  #field<K extends Parameters<typeof fieldOf>[2]>(field: K): ResolvedTaskDescription[K] {
    return fieldOf(this.submission, this.spooled.entry, field);
  }
}
