import {
  type Placement,
  type Reason,
  type ResolvedTaskDescription,
  toErrorData,
  toSeconds,
} from '@pilothouse/sdk/shared';
import { GRACE_SECONDS } from '../node-context.js';
import type { Applicant, Demand, Grant, Place } from '../scheduler/demand.js';
import { AttemptData } from './attempt-data.js';
import type { AttemptEnd, AttemptOwner, Cause } from './attempt-owner.js';
import { demandOf } from './demand.js';
import { describe, fieldOf, isCall } from './description.js';
import { folderOf, makeSandbox, ownEnvironment, sharedEnvironment } from './environment.js';
import type { RunEnd, Runner, RunWatcher } from './runner.js';
import type { TaskDetails, TaskHost } from './task-host.js';
import type { Warned } from './walltime.js';

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
  #data: AttemptData | undefined;
  /** Resolved when it gets its resources, and kept no longer than it lasts. */
  #whole: ResolvedTaskDescription | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Milliseconds for which it had run when this agent took it over. */
  #ranFor = 0;
  /** The runner has it. */
  #started = false;
  #running = false;
  #over = false;

  /** @param memory - bytes it asks for instead of what its description says */
  constructor(host: TaskHost, owner: AttemptOwner, number: number, memory: number | undefined) {
    const { submission, spooled } = owner;
    const { entry } = spooled;
    const limit = fieldOf(submission, entry, 'maxDuration');
    this.id = owner.id;
    this.runId = `${owner.id}:${number}`;
    this.#host = host;
    this.#owner = owner;
    this.#number = number;
    this.demand = demandOf(submission, entry, memory);
    this.priority = fieldOf(submission, entry, 'priority');
    this.limit = limit === undefined ? undefined : toSeconds(limit);
    const expected = fieldOf(submission, entry, 'expectedDuration');
    this.expects = expected === undefined ? this.limit : toSeconds(expected);
    this.#runner = isCall(submission, entry) ? host.calls : host.commands;
  }

  /** Seconds before the pilot's end at which it is told so. */
  get lead(): number {
    return this.#grace + 1;
  }

  /** Whether it has got its resources, or the runner has it and tells that it runs. */
  get begun(): boolean {
    const { asksItself } = this.#runner;
    return this.#grant !== undefined || this.#running || this.#moves || (this.#started && !asksItself);
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

  /** Ends it, wherever it is; `attemptOver` follows. */
  end(cause: Cause, grace = GRACE_SECONDS): void {
    if (this.#over || this.#cause === 'cancel') return;
    this.#cause = cause;
    this.#data?.cancel();
    if (this.#started) this.#runner.end(this.runId, grace, cause === 'walltime' ? this.#signal : undefined);
    else if (this.#grant === undefined) {
      this.#host.context.scheduler.withdraw(this.id);
      if (!this.#moves) this.#finish(undefined, undefined);
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
    if (this.#description.onWalltime !== undefined) this.#host.walltime.warn(this);
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
    const { stageOut } = this.#description;
    const gpu = this.#host.gpus.take(this.id);
    const measured = gpu && end.usage ? { ...end, usage: { ...end.usage, ...gpu } } : end;
    if (!end.ok || stageOut.length === 0 || this.#cause !== undefined) this.#finish(measured, undefined);
    else void this.#stageOut(measured);
  }

  // The way there and back

  #launch(): void {
    const description = this.#description;
    const { sandbox, stageIn } = description;
    const { services = [] } = this.#owner.spooled;
    if (sandbox || stageIn.length > 0 || services.length > 0) void this.#prepare(description, services);
    else this.#start(description, this.#cwd, {});
  }

  async #prepare(description: ResolvedTaskDescription, services: readonly string[]): Promise<void> {
    const { pilot } = this.#host.context;
    let staging = false;
    try {
      if (description.sandbox) await makeSandbox(pilot.folder, this.id);
      const cwd = this.#cwd;
      if (description.stageIn.length > 0) {
        staging = true;
        this.#owner.enter('STAGING_INPUT', this.#placed());
        await this.#ownData.move('in', description, cwd);
        staging = false;
      }
      const variables = await this.#host.serviceVariables(this.id, services);
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
    const description = this.#description;
    try {
      this.#owner.enter('STAGING_OUTPUT');
      await this.#ownData.move('out', description, this.#cwd);
      this.#finish(end, undefined);
    } catch (error) {
      this.#finish(end, this.#cause === undefined ? { staging: true, error: toErrorData(error) } : undefined);
    }
  }

  #finish(run: RunEnd | undefined, failed: AttemptEnd['failed']): void {
    if (this.#over) return;
    this.#over = true;
    this.#free();
    this.#owner.attemptOver({ run, cause: this.#cause, staging: this.#data?.reports, failed });
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

  get #description(): ResolvedTaskDescription {
    this.#whole ??= describe(this.#owner.submission, this.#owner.spooled.entry);
    return this.#whole;
  }

  get #ownData(): AttemptData {
    this.#data ??= new AttemptData(this.#host, this.#owner, this.#number);
    return this.#data;
  }

  /** Whether its data is on the way. */
  get #moves(): boolean {
    return this.#data?.moves ?? false;
  }

  get #cwd(): string {
    return folderOf(this.#host.context.pilot, this.id, this.#owner.submission, this.#description);
  }

  get #grace(): number {
    const { onWalltime } = this.#description;
    return onWalltime === undefined ? GRACE_SECONDS : toSeconds(onWalltime.grace);
  }

  get #signal() {
    return this.#description.onWalltime?.signal;
  }
}
