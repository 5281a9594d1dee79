import { resolve } from 'node:path';
import {
  type ErrorData,
  PilothouseError,
  type Placement,
  type Reason,
  type ResolvedTaskDescription,
  type SpooledTask,
  type StagingReport,
  type TaskState,
  toErrorData,
  toSeconds,
} from '@pilothouse/sdk/shared';
import { GRACE_SECONDS } from '../node-context.js';
import type { Applicant, Demand, Grant, Place } from '../scheduler/demand.js';
import { demandOf } from './demand.js';
import { describe, expectedSeconds } from './description.js';
import { makeSandbox, ownEnvironment, sandboxOf, sharedEnvironment } from './environment.js';
import type { RunEnd, Runner, RunWatcher } from './runner.js';
import { serviceVariables } from './service-variables.js';
import type { TaskDetails, TaskHost } from './task-host.js';
import type { Warned } from './walltime.js';
import type { Submission } from './work.js';

/** Why an attempt was ended from outside. */
export type Cause = 'cancel' | 'duration' | 'walltime';

/** What an attempt came to. */
export interface AttemptEnd {
  /** How its process or call ended; undefined: it never started. */
  readonly run: RunEnd | undefined;
  readonly cause: Cause | undefined;
  readonly staging: readonly StagingReport[] | undefined;
  /** Its data could not be brought in or out, or it could not be prepared. */
  readonly failed: { readonly staging: boolean; readonly error: ErrorData } | undefined;
}

/** The task that an attempt is one of. */
export interface AttemptOwner {
  readonly id: string;
  readonly name: string;
  readonly submission: Submission;
  readonly spooled: SpooledTask;
  readonly state: TaskState;
  enter(state: TaskState, details?: TaskDetails): void;
  /** Enters all states on the way to this one. */
  advance(state: 'LAUNCHING' | 'RUNNING', details?: TaskDetails): void;
  running(change: 1 | -1): void;
  attemptOver(end: AttemptEnd): void;
}

/** One attempt at a task: resources, data in, the run, data out. */
export class Attempt implements Applicant, RunWatcher, Warned {
  readonly id: string;
  readonly runId: string;
  readonly demand: Demand;
  readonly kind = 'task';
  readonly priority: number;
  readonly expects: number | undefined;
  readonly limit: number | undefined;
  readonly #host: TaskHost;
  readonly #owner: AttemptOwner;
  readonly #number: number;
  readonly #runner: Runner;
  #grant: Grant | undefined;
  #placement: Placement | undefined;
  #cause: Cause | undefined;
  #staging: StagingReport[] | undefined;
  #abort: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The runner has it. */
  #started = false;
  #running = false;
  #over = false;

  /** @param memory - bytes it asks for instead of what its description says */
  constructor(host: TaskHost, owner: AttemptOwner, number: number, memory: number | undefined) {
    const { submission, spooled } = owner;
    const description = describe(submission, spooled.entry);
    this.id = owner.id;
    this.runId = `${owner.id}:${number}`;
    this.#host = host;
    this.#owner = owner;
    this.#number = number;
    this.demand = demandOf(submission, spooled.entry, memory);
    this.priority = description.priority;
    this.expects = expectedSeconds(description);
    this.limit = description.maxDuration === undefined ? undefined : toSeconds(description.maxDuration);
    this.#runner = description.call === undefined ? host.commands : host.calls;
  }

  /** Seconds before the pilot's end at which it is told so. */
  get lead(): number {
    return this.#grace + 1;
  }

  /** Whether it has got its resources, or the runner has it and tells that it runs. */
  get begun(): boolean {
    return (
      this.#grant !== undefined ||
      this.#running ||
      this.#abort !== undefined ||
      (this.#started && !this.#runner.asksItself)
    );
  }

  begin(): void {
    if (!this.#runner.asksItself) {
      this.#host.context.scheduler.apply(this);
      return;
    }
    if (this.#owner.state !== 'SCHEDULING') this.#owner.enter('SCHEDULING');
    this.#launch();
  }

  /**
   * Goes on with what an earlier agent has started.
   *
   * @param since - milliseconds for which it has run
   * @returns false when nothing is known of it
   */
  adopt(placement: Placement | undefined, since: number): boolean {
    if (!this.#runner.asksItself) {
      if (!this.#host.context.warden.found.has(this.runId)) return false;
      const place: Place = { gpus: placement?.gpus, cores: placement?.cores };
      this.#grant = this.#host.context.scheduler.book(this, placement === undefined ? [] : [place]);
    }
    this.#placement = placement;
    this.#ranFor = since;
    this.#started = true;
    return this.#runner.adopt(this.runId, this);
  }

  #ranFor = 0;

  /** Ends it, wherever it is; `attemptOver` follows. */
  end(cause: Cause, grace = GRACE_SECONDS): void {
    if (this.#over || this.#cause === 'cancel') return;
    this.#cause = cause;
    this.#abort?.abort();
    if (this.#started) this.#runner.end(this.runId, grace, cause === 'walltime' ? this.#signal : undefined);
    else if (this.#grant === undefined) {
      this.#host.context.scheduler.withdraw(this.id);
      if (this.#abort === undefined) this.#finish(undefined, undefined);
    }
    // Otherwise it is being prepared, and stops before it starts.
  }

  /** Takes it out of the queue; what has begun stays. */
  withdraw(): void {
    if (!this.#started && this.#grant === undefined) this.#host.context.scheduler.withdraw(this.id);
  }

  /** Nobody watches over it any more. */
  lose(): void {
    this.#host.context.scheduler.withdraw(this.id);
    this.#finish({ ok: false, kind: 'lost' }, undefined);
  }

  /** Its end is in the journal. */
  acknowledge(): void {
    this.#runner.acknowledge(this.runId);
  }

  explain(): { text: string; evidence: readonly string[] } | undefined {
    return this.#started ? this.#runner.explain(this.runId) : this.#host.context.scheduler.explain(this.id);
  }

  // The scheduler and runners

  granted(grant: Grant): void {
    this.#grant = grant;
    const [share] = grant.nodes;
    const node = this.#host.nodeName(share?.node ?? 0);
    this.#placement = { node, cores: [...(share?.cores ?? [])], gpus: [...grant.gpus] };
    if (this.#owner.state !== 'SCHEDULING') this.#owner.enter('SCHEDULING');
    this.#launch();
  }

  waits({ code, text, evidence }: Omit<Reason, 'since'>): void {
    const reason: Reason = { code, text, since: new Date().toISOString(), ...(evidence ? { evidence } : {}) };
    const { state } = this.#owner;
    this.#owner.enter(state === 'LAUNCHING' ? state : 'SCHEDULING', { reason });
    if (code === 'WAITS_FOR_PILOT_TIME') this.#host.tooLate(this.id);
  }

  started(pid: number | undefined, placement?: Placement): void {
    if (this.#running || this.#over) return;
    this.#running = true;
    this.#owner.running(1);
    if (placement !== undefined) this.#placement = placement;
    this.#owner.advance('RUNNING', {
      ...(pid === undefined ? {} : { pid }),
      ...(placement === undefined ? {} : { placement }),
    });
    this.#host.gpus.watch(this.id, this.#placement?.gpus ?? []);
    const { limit } = this;
    if (limit !== undefined) {
      const left = Math.max(0, limit * 1000 - this.#ranFor);
      // Longer timers than Node knows belong to limits beyond every pilot's end.
      if (left < 2 ** 31) this.#timer = setTimeout(() => this.end('duration'), left);
    }
    if (this.#description().onWalltime !== undefined) this.#host.walltime.warn(this);
  }

  timeIsShort(): void {
    this.end('walltime', this.#grace);
  }

  gone(): void {
    this.#free();
  }

  ended(end: RunEnd): void {
    this.#free();
    if (end.kind !== 'start' && end.kind !== 'lost') this.#owner.advance('RUNNING');
    const { stageOut } = this.#description();
    const gpu = this.#host.gpus.take(this.id);
    const measured = gpu && end.usage ? { ...end, usage: { ...end.usage, ...gpu } } : end;
    if (!end.ok || stageOut.length === 0 || this.#cause !== undefined) this.#finish(measured, undefined);
    else void this.#stageOut(measured);
  }

  // The way there and back

  #launch(): void {
    const description = this.#description();
    const { sandbox, stageIn } = description;
    const { services = [] } = this.#owner.spooled;
    if (sandbox || stageIn.length > 0 || services.length > 0) void this.#prepare(description, services);
    else this.#start(description, this.#cwd(description), {});
  }

  async #prepare(description: ResolvedTaskDescription, services: readonly string[]): Promise<void> {
    const { pilot } = this.#host.context;
    let staging = false;
    try {
      if (description.sandbox) await makeSandbox(pilot.folder, this.id);
      const cwd = this.#cwd(description);
      if (description.stageIn.length > 0) {
        staging = true;
        this.#owner.enter('STAGING_INPUT', this.#placed());
        await this.#stage('in', description, cwd);
        staging = false;
      }
      const variables = await serviceVariables(this.#host.services, services);
      this.#start(description, cwd, variables);
    } catch (error) {
      this.#finish(undefined, this.#cause === undefined ? { staging, error: toErrorData(error) } : undefined);
    }
  }

  #start(description: ResolvedTaskDescription, cwd: string, variables: Readonly<Record<string, string>>): void {
    if (this.#cause !== undefined || this.#over) {
      this.#finish(undefined, undefined);
      return;
    }
    const { pilot } = this.#host.context;
    const { id, name, submission, spooled } = this.#owner;
    if (!this.#runner.asksItself || this.#owner.state === 'STAGING_INPUT') {
      this.#owner.advance('LAUNCHING', this.#placed());
    }
    const gpus = this.#runner.asksItself ? undefined : (this.#grant?.gpus ?? []);
    const own = ownEnvironment(id, this.#number, pilot, description, spooled.entry, gpus, submission.cwd);
    this.#started = true;
    this.#runner.start(
      {
        id,
        name,
        attempt: this.#number,
        runId: this.runId,
        description,
        submission,
        cwd,
        demand: this.demand,
        env: sharedEnvironment(submission, spooled.entry, description.cores),
        own: { ...own, ...variables },
        grant: this.#grant,
      },
      this,
    );
  }

  async #stageOut(end: RunEnd): Promise<void> {
    const description = this.#description();
    try {
      this.#owner.enter('STAGING_OUTPUT');
      await this.#stage('out', description, this.#cwd(description));
      this.#finish(end, undefined);
    } catch (error) {
      this.#finish(end, this.#cause === undefined ? { staging: true, error: toErrorData(error) } : undefined);
    }
  }

  async #stage(direction: 'in' | 'out', description: ResolvedTaskDescription, cwd: string): Promise<void> {
    const { submission, id } = this.#owner;
    this.#abort = new AbortController();
    const before = this.#staging ?? [];
    const report = (reports: readonly StagingReport[]): void => {
      this.#staging = [...before, ...reports];
      this.#host.staging.set(id, this.#staging);
    };
    try {
      report(
        await this.#host.stages[direction === 'in' ? 'stageIn' : 'stageOut']({
          id,
          attempt: this.#number,
          directives: direction === 'in' ? description.stageIn : description.stageOut,
          from: submission.cwd,
          cwd,
          env: { ...submission.env, ...description.env },
          signal: this.#abort.signal,
          report,
        }),
      );
      if (this.#cause !== undefined) throw new PilothouseError('TASK_CANCELED', `${this.#owner.name} was ended`);
    } finally {
      this.#abort = undefined;
      this.#host.staging.delete(id);
    }
  }

  #finish(run: RunEnd | undefined, failed: AttemptEnd['failed']): void {
    if (this.#over) return;
    this.#over = true;
    this.#free();
    this.#owner.attemptOver({ run, cause: this.#cause, staging: this.#staging, failed });
  }

  /** Gives back what it holds; its process is gone, or never was. */
  #free(): void {
    clearTimeout(this.#timer);
    this.#host.walltime.forget(this);
    if (this.#running) {
      this.#running = false;
      this.#owner.running(-1);
    }
    const grant = this.#grant;
    this.#grant = undefined;
    if (grant) this.#host.context.scheduler.release(grant);
  }

  #placed(): TaskDetails {
    return this.#placement === undefined ? {} : { placement: this.#placement };
  }

  #description(): ResolvedTaskDescription {
    return describe(this.#owner.submission, this.#owner.spooled.entry);
  }

  #cwd({ sandbox, cwd }: ResolvedTaskDescription): string {
    const caller = this.#owner.submission.cwd;
    if (sandbox) return sandboxOf(this.#host.context.pilot.folder, this.id);
    return cwd === undefined ? caller : resolve(caller, cwd);
  }

  get #grace(): number {
    const { onWalltime } = this.#description();
    return onWalltime === undefined ? GRACE_SECONDS : toSeconds(onWalltime.grace);
  }

  get #signal() {
    return this.#description().onWalltime?.signal;
  }
}
