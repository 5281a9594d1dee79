import {
  type Endpoint,
  type InstanceState,
  PilothouseError,
  type ProbeResult,
  type ProbeRole,
  type ServiceSpec,
  toErrorData,
} from '@pilothouse/sdk/shared';
import type { ProcessUsage } from '../launcher/warden-client.js';
import { log } from '../log.js';
import type { Grant } from '../scheduler/demand.js';
import { launcherLost } from '../tasks/task-end.js';
import type { AttemptEnd, AttemptTools } from './attempt.js';
import { cleanUp, packOutput, wasStopped } from './instance-end.js';
import { type InstanceDetails, type InstanceName, InstanceRecord, type PastInstance } from './instance-record.js';
import type { OwnLoad } from './looks.js';
import type { Progress } from './output-watch.js';
import { Runs } from './runs.js';
import { Seat } from './seat.js';
import type { InstanceListener, Why } from './views.js';

/** One running copy of a service: given resources, started, drained, restarted, stopped. */
export class Instance {
  readonly id: string;
  readonly index: number;
  readonly #tools: AttemptTools;
  readonly #service: ServiceSpec;
  readonly #record: InstanceRecord;
  readonly #runs: Runs;
  readonly #seat: Seat;
  readonly #listener: InstanceListener;
  #error: PilothouseError | undefined;
  /** Whether its output lies in the pilot's folder. */
  #hasOutput: boolean;
  #stopping = false;
  /** Why it is being stopped, when nobody asked for it. */
  #stopCause: PilothouseError | undefined;
  #draining: boolean;
  #drainingSeq = 0;

  constructor(
    tools: AttemptTools,
    service: ServiceSpec,
    name: InstanceName,
    past: PastInstance | undefined,
    listener: InstanceListener,
  ) {
    this.#tools = tools;
    this.#service = service;
    this.id = name.id;
    this.index = name.index;
    this.#listener = listener;
    this.#seat = new Seat(tools.context.scheduler, name.id, service);
    this.#record = new InstanceRecord(tools.context.journal, name, past, () => listener.changed());
    this.#runs = new Runs(tools, service, name, this.#record, past, {
      renewed: () => {
        this.#draining = false;
      },
      said: (methods) => listener.said(methods),
      isLeaving: () => this.leaving,
      over: (end) => this.#ended(end),
    });
    this.#hasOutput = past?.output !== undefined;
    this.#draining = past?.draining ?? false;
    if (past?.error) this.#error = PilothouseError.from(past.error);
  }

  get state(): InstanceState {
    return this.#record.state;
  }

  get over(): boolean {
    return this.#record.over;
  }

  get endpoint(): Endpoint | undefined {
    return this.#runs.endpoint;
  }

  get error(): PilothouseError | undefined {
    return this.#error;
  }

  get attempt(): number {
    return this.#runs.number;
  }

  get used(): ProcessUsage | null {
    return this.#runs.used;
  }

  /** The latest result of each probe. */
  get results(): Readonly<Partial<Record<ProbeRole, ProbeResult>>> {
    return this.#runs.attempt?.results ?? {};
  }

  get progress(): Progress | undefined {
    return this.state === 'INITIALIZING' ? this.#runs.attempt?.progress : undefined;
  }

  /** What it says itself that it has to do. */
  get load(): OwnLoad | undefined {
    return this.#runs.attempt?.load;
  }

  /** Takes nothing new; stops, or starts anew, when what it has is answered. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Number of the journal record that says so. */
  get drainingSeq(): number {
    return this.#drainingSeq;
  }

  /** Whether it is on its way out. */
  get leaving(): boolean {
    return this.#stopping || (this.#draining && !this.#runs.mustRestart);
  }

  get mustRestart(): boolean {
    return this.#runs.mustRestart;
  }

  /** The last order to restart that is for it. */
  get restartWanted(): number {
    return this.#runs.wanted;
  }

  /** The last order to restart that it was started after. */
  get restarted(): number {
    return this.#runs.restarted;
  }

  /** Whether it has a place, or had one: it is not held back any more. */
  get hasStarted(): boolean {
    return this.#seat.taken || !NOT_STARTED.has(this.state);
  }

  /** Goes on from wherever an earlier agent has left it. @param why - what it must wait for first */
  begin(why?: Why): void {
    const { warden } = this.#tools.context;
    const { state } = this;
    if (this.over) {
      // The end is in the journal; the agent that wrote it may have been killed before it cleaned up.
      this.#cleanUp();
      return;
    }
    if (state === 'BACKOFF') {
      warden.acknowledge([this.#runs.spawnId]);
      this.#runs.next();
    }
    const found = warden.found.get(this.#runs.spawnId);
    if (found) {
      this.#runs.adopt(this.#seat.book(found));
      if (state === 'STOPPING') this.#stopRuns();
    } else if (state === 'STOPPING') {
      this.#finish('STOPPED', {});
    } else if (NOT_STARTED.has(state)) {
      if (why) this.hold(why);
      else this.#schedule();
    } else {
      const grant = this.#seat.book();
      if (state === 'BACKOFF') this.#runs.launchIn(grant, 0);
      else if (state === 'LAUNCHING') this.#runs.launch(grant);
      else this.#lostWith(grant);
    }
  }

  /** Lets it wait for something else than resources. */
  hold(why: Why): void {
    if (this.hasStarted || this.over) return;
    this.#seat.withdraw();
    this.#record.enter('WAITING', { reason: { ...why, since: new Date().toISOString() } });
  }

  /** Nothing comes before it any more. */
  go(): void {
    if (!this.hasStarted && !this.over && this.state !== 'SCHEDULING') this.#schedule();
  }

  /** Stops it for good; `cause` says why when nobody asked for it. */
  stop(cause?: PilothouseError): void {
    if (this.over || this.#stopping) return;
    this.#stopCause = cause;
    const spawned = this.#runs.attempt?.runs ?? false;
    if (spawned) this.#record.enter('STOPPING');
    // A launch that is under way stops before it spawns.
    if (this.#stopRuns()) return;
    this.#seat.withdraw();
    this.#finish('STOPPED', {});
  }

  /** It cannot become what it should be. */
  fail(error: PilothouseError): void {
    if (this.over || this.hasStarted) return;
    this.#seat.withdraw();
    this.#fail(error, {});
  }

  /** Lets it take nothing new, so that it can be stopped. What has nothing to answer yet stops at once. */
  drain(): void {
    if (this.over || this.#stopping) return;
    this.#runs.unwant();
    if (this.state === 'READY' || this.state === 'UNHEALTHY') this.takeNothingNew();
    else this.stop();
  }

  /** Lets it take nothing new, so that it can be stopped or restarted. */
  takeNothingNew(): void {
    if (this.#draining || this.over) return;
    this.#draining = true;
    this.#drainingSeq = this.#record.note({ draining: true });
    this.#listener.changed();
  }

  /** An order to restart is for it too; it counts as carried out whenever it starts anew. */
  wantRestart(order: number): void {
    this.#runs.want(order);
  }

  /** Starts it anew; what is under way there is cut off. */
  restartNow(): void {
    if (!this.over && !this.#stopping && this.mustRestart) this.#runs.restart();
  }

  /** The bridge has made everything up to this record its own: a READY among it counts as published. */
  published(seq: number): void {
    const bootstrap = this.#runs.attempt?.clock.published(seq);
    if (bootstrap && (this.state === 'READY' || this.state === 'UNHEALTHY')) this.#record.note({ bootstrap });
  }

  /** Looks at it now, beside the usual rhythm. */
  async probeNow(): Promise<void> {
    await this.#runs.attempt?.lookNow();
  }

  /** The warden is gone for good. */
  lose(): void {
    this.#seat.withdraw();
    this.#stopping = true;
    this.#finish('FAILED', { error: this.#lost.toJSON() });
    this.#runs.stop(this.#lost);
  }

  get #lost(): PilothouseError {
    return launcherLost(this.#service.name, this.id);
  }

  #lostWith(grant: Grant): void {
    this.#runs.adopted(grant);
    this.#runs.ended({ error: this.#lost, final: false, exit: {}, usage: null });
  }

  /** @returns whether anything runs, whose end is told */
  #stopRuns(): boolean {
    this.#stopping = true;
    return this.#runs.stop(this.#stopCause ?? wasStopped(this.#service));
  }

  #schedule(): void {
    const { impossible } = this.#seat;
    if (impossible) {
      this.#fail(impossible, {});
      return;
    }
    this.#seat.ask(
      (grant) => {
        if (this.state !== 'SCHEDULING') this.#record.enter('SCHEDULING');
        this.#error = undefined;
        this.#runs.launch(grant);
      },
      (why) => this.#record.enter('SCHEDULING', { reason: { ...why, since: new Date().toISOString() } }),
    );
  }

  #ended({ error, exit }: AttemptEnd): void {
    if (this.leaving) this.#finish('STOPPED', exit);
    else this.#fail(error, exit);
  }

  #fail(error: PilothouseError, exit: InstanceDetails): void {
    const data = toErrorData(error);
    const ids = { ...data.ids, service: this.#service.id, instance: this.id };
    this.#finish('FAILED', { ...exit, error: { ...data, ids } });
  }

  #finish(state: 'STOPPED' | 'FAILED', details: InstanceDetails): void {
    void this.#finishWithOutput(state, details).catch((error: unknown) => log(`the end of ${this.id} failed`, error));
  }

  async #finishWithOutput(state: 'STOPPED' | 'FAILED', details: InstanceDetails): Promise<void> {
    if (this.over) return;
    const packed = await packOutput(this.#tools.context, this.id);
    this.#hasOutput ||= packed !== undefined;
    const known = packed ? { ...details, output: packed } : details;
    if (this.over) return;
    const cause = state === 'STOPPED' && this.#stopCause ? { error: this.#stopCause.toJSON() } : {};
    const error = details.error ?? cause.error;
    if (error) this.#error = PilothouseError.from(error);
    this.#record.enter(state, { ...known, ...cause, reason: null }, () => this.#cleanUp());
    this.#seat.giveBack();
  }

  /** Removes what is not needed any more, once the end stands in the journal. */
  #cleanUp(): void {
    const { spawnId } = this.#runs;
    cleanUp(this.#tools.context, { id: this.id, spawnId, hasOutput: this.#hasOutput });
  }
}

const NOT_STARTED: ReadonlySet<InstanceState> = new Set(['NEW', 'WAITING', 'SCHEDULING']);
