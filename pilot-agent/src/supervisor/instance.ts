import { join } from 'node:path';
import {
  type Endpoint,
  type InstanceState,
  PilothouseError,
  type ProbeResult,
  type ServiceSpec,
  toErrorData,
} from '@pilothouse/sdk/shared';
import { gpusOf } from '../launcher/found.js';
import type { ProcessUsage, SpawnWatcher } from '../launcher/warden-client.js';
import { log } from '../log.js';
import { GRACE_SECONDS, type NodeContext } from '../node-context.js';
import type { Claim, Grant } from '../scheduler/demand.js';
import { SPAWN_VARIABLE } from '../tasks/environment.js';
import { inWords, launcherLost, processEnd, spawnFailed } from '../tasks/task-end.js';
import { BootstrapClock } from './bootstrap.js';
import { diagnose } from './failure.js';
import { type InstanceDetails, InstanceRecord, type PastInstance } from './instance-record.js';
import { forgetKey } from './keys.js';
import { prepareLaunch } from './launch.js';
import { Restarts } from './restarts.js';
import { Watch } from './watch.js';

/** One running copy of a service: started, watched, started again, stopped. */
export class Instance {
  readonly id: string;
  readonly #context: NodeContext;
  readonly #service: ServiceSpec;
  readonly #record: InstanceRecord;
  #attempt: number;
  #used: ProcessUsage | null = null;
  #clock = new BootstrapClock();
  readonly #restarts: Restarts;
  #endpoint: Endpoint | undefined;
  #error: PilothouseError | undefined;
  #grant: Grant | undefined;
  #watch: Watch | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Whether its output lies in the pilot's folder. */
  #hasOutput: boolean;
  #spawned = false;
  #stopping = false;
  /** Why it is being stopped, when nobody asked for it. */
  #stopCause: PilothouseError | undefined;
  /** Why its process is being ended, when it is to start again. */
  #endCause: PilothouseError | undefined;
  /** Where the error output of this attempt begins. */
  #stderrFrom = 0;

  constructor(
    context: NodeContext,
    service: ServiceSpec,
    id: string,
    past: PastInstance | undefined,
    changed: () => void,
  ) {
    this.#context = context;
    this.#service = service;
    this.id = id;
    this.#record = new InstanceRecord(context.journal, service.id, id, past?.state ?? 'NEW', changed);
    this.#hasOutput = past?.output !== undefined;
    this.#attempt = past?.attempt ?? 1;
    this.#restarts = new Restarts(service.restarts, this.#attempt - 1);
    this.#endpoint = past?.endpoint;
    if (past?.error) this.#error = PilothouseError.from(past.error);
  }

  get state(): InstanceState {
    return this.#record.state;
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  get error(): PilothouseError | undefined {
    return this.#error;
  }

  get probe(): ProbeResult | undefined {
    return this.#watch?.last;
  }

  /** What its processes have used that have ended by now; null: nothing is known. */
  get used(): ProcessUsage | null {
    return this.#used;
  }

  get attempt(): number {
    return this.#attempt;
  }

  get over(): boolean {
    return this.#record.over;
  }

  /** Goes on from wherever an earlier agent has left it. */
  begin(): void {
    const { warden, scheduler } = this.#context;
    if (this.over) {
      // The end is in the journal; the agent that wrote it may have been killed before it cleaned up.
      this.#cleanUp();
      return;
    }
    if (this.#record.state === 'BACKOFF') {
      warden.acknowledge([this.#spawnId]);
      this.#attempt += 1;
    }
    const found = warden.found.get(this.#spawnId);
    if (found) {
      this.#grant = scheduler.book(this.#claim, [{ gpus: gpusOf(found) }]);
      this.#spawned = true;
      this.#stopping = this.#record.state === 'STOPPING';
      this.#adopt();
    } else if (this.#record.state === 'STOPPING') {
      this.#finish('STOPPED', {});
    } else if (
      this.#record.state === 'NEW' ||
      this.#record.state === 'WAITING' ||
      this.#record.state === 'SCHEDULING'
    ) {
      this.#schedule();
    } else {
      this.#grant = scheduler.book(this.#claim);
      if (this.#record.state === 'BACKOFF') this.#launchIn(0);
      else if (this.#record.state === 'LAUNCHING') void this.#launch();
      else this.#attemptOver(launcherLost(this.#service.name, this.id), {});
    }
  }

  /** Stops it for good; `cause` says why when nobody asked for it. */
  stop(cause: PilothouseError | undefined): void {
    if (this.over || this.#stopping) return;
    this.#stopping = true;
    this.#stopCause = cause;
    clearTimeout(this.#timer);
    if (this.#spawned) {
      this.#watch?.stop();
      this.#record.enter('STOPPING');
      this.#context.warden.end([this.#spawnId], GRACE_SECONDS);
    } else if (this.#record.state !== 'LAUNCHING') {
      this.#context.scheduler.withdraw(this.id);
      this.#finish('STOPPED', {});
    }
    // Otherwise the launch is under way and stops before it spawns.
  }

  /** The bridge has made everything up to this record its own: a READY among it counts as published. */
  published(seq: number): void {
    const bootstrap = this.#clock.published(seq);
    if (bootstrap && (this.#record.state === 'READY' || this.#record.state === 'UNHEALTHY'))
      this.#record.note({ bootstrap });
  }

  /** Probes now, beside the usual rhythm. */
  async probeNow(): Promise<void> {
    await this.#watch?.probe();
  }

  /** The warden is gone for good. */
  lose(): void {
    this.#context.scheduler.withdraw(this.id);
    this.#watch?.stop();
    clearTimeout(this.#timer);
    this.#finish('FAILED', { error: launcherLost(this.#service.name, this.id).toJSON() });
  }

  get #spawnId(): string {
    return `${this.id}:${this.#attempt}`;
  }

  get #claim(): Claim {
    return { id: this.id, demand: this.#service, kind: 'service' };
  }

  #schedule(): void {
    const { scheduler } = this.#context;
    const impossible = scheduler.pool.impossible(this.#service);
    if (impossible) {
      const hint = 'ask for less, or use a larger pilot';
      this.#fail(
        new PilothouseError('INVALID_DESCRIPTION', impossible.text, { hint, field: `resources.${impossible.field}` }),
      );
      return;
    }
    scheduler.apply({
      ...this.#claim,
      granted: (grant) => {
        this.#grant = grant;
        if (this.#record.state !== 'SCHEDULING') this.#record.enter('SCHEDULING');
        void this.#launch();
      },
      waits: (why) => this.#record.enter('SCHEDULING', { reason: { ...why, since: new Date().toISOString() } }),
    });
  }

  async #launch(): Promise<void> {
    const { pilot, journal, warden, output } = this.#context;
    const grant = this.#grant;
    if (grant === undefined) throw new Error(`${this.id} is launched without resources`);
    this.#clock.asked();
    this.#error = undefined;
    try {
      this.#record.enter('LAUNCHING', { attempt: this.#attempt });
      const { order, endpoint } = await prepareLaunch(pilot, this.#service, this.id, this.#attempt, grant);
      this.#endpoint = endpoint;
      this.#stderrFrom = await output.stderrSize(this.id);
      this.#record.note({ attempt: this.#attempt, endpoint });
      // The port must stand in the journal before anything listens on it: the next agent finds the instance by it.
      await journal.flush();
      if (this.#stopping) {
        this.#finish('STOPPED', {});
        return;
      }
      this.#spawned = true;
      warden.spawn(
        {
          ...order,
          id: this.#spawnId,
          mark: `${SPAWN_VARIABLE}=${this.#spawnId}`,
          stdout: output.livePath(this.id, 'stdout'),
          stderr: output.livePath(this.id, 'stderr'),
          cpus: pilot.cpus,
        },
        this.#watcher(),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes over what an earlier agent has started: it runs on, and is looked at before anything is said about it. */
  #adopt(): void {
    this.#context.warden.adopt(this.#spawnId, this.#watcher());
    if (this.#stopping) this.#context.warden.end([this.#spawnId], GRACE_SECONDS);
  }

  #watcher(): SpawnWatcher {
    return {
      started: (pid) => this.#started(pid),
      exited: (code, { usage }) => {
        this.#used = together(this.#used, usage);
        void this.#exited(code);
      },
      failed: (failure) => this.#fail(spawnFailed(this.#service.name, failure)),
      lost: () => this.#attemptOver(launcherLost(this.#service.name, this.id), {}),
    };
  }

  #started(pid: number): void {
    if (this.#stopping) return;
    const endpoint = this.#endpoint;
    if (endpoint === undefined) {
      this.#endAttempt(launcherLost(this.#service.name, this.id));
      return;
    }
    this.#clock.runs();
    if (this.#record.state === 'LAUNCHING') this.#record.enter('INITIALIZING', { attempt: this.#attempt, pid });
    const watch = new Watch(this.#service, endpoint, pid, `${SPAWN_VARIABLE}=${this.#spawnId}`, {
      ready: (probe) => this.#clock.ready(this.#record.enter('READY', { probe, endpoint })),
      unhealthy: (probe) => {
        const text = `not answering: ${probe.text}`;
        this.#record.enter('UNHEALTHY', { probe, reason: { code: 'PROBE_FAILS', text, since: probe.at } });
      },
      recovered: (probe) => this.#record.enter('READY', { probe }),
      giveUp: (error) => this.#endAttempt(error),
    });
    this.#watch = watch;
    if (this.#record.state === 'INITIALIZING') watch.waitUntilReady();
    else watch.keepWatching(this.#record.state === 'READY');
  }

  /** Ends the process of this attempt; what follows depends on the restarts that are left. */
  #endAttempt(error: PilothouseError): void {
    this.#watch?.stop();
    this.#endCause = error;
    this.#context.warden.end([this.#spawnId], GRACE_SECONDS);
  }

  async #exited(code: number): Promise<void> {
    this.#watch?.stop();
    const end = processEnd(code);
    const tail = await this.#context.output.stderrTail(this.id, this.#stderrFrom).catch((error: unknown) => {
      log(`error output of ${this.id} cannot be read`, error);
      return '';
    });
    const exit = {
      ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
      ...(tail ? { stderrTail: tail } : {}),
    };
    if (this.#stopping) {
      this.#finish('STOPPED', exit);
      return;
    }
    const port = Number(new URL(this.#endpoint?.url ?? 'http://127.0.0.1:0').port);
    this.#attemptOver(this.#endCause ?? diagnose(this.#service, this.id, inWords(end), tail, port), exit);
  }

  #attemptOver(error: PilothouseError, exit: InstanceDetails): void {
    if (this.#stopping) {
      this.#finish('STOPPED', exit);
      return;
    }
    const restart = this.#restarts.next(error, this.#clock.sinceReady);
    if (restart === undefined) {
      this.#fail(error, exit);
      return;
    }
    const { delay, text } = restart;
    const evidence = error.evidence === undefined ? {} : { evidence: error.evidence };
    const spawnId = this.#spawnId;
    this.#resetAttempt();
    this.#record.enter(
      'BACKOFF',
      { ...exit, reason: { code: error.code, text, since: new Date().toISOString(), ...evidence } },
      () => this.#context.warden.acknowledge([spawnId]),
    );
    this.#attempt += 1;
    this.#launchIn(delay);
  }

  #resetAttempt(): void {
    this.#spawned = false;
    this.#endCause = undefined;
    this.#clock = new BootstrapClock();
    this.#watch = undefined;
  }

  #launchIn(seconds: number): void {
    this.#timer = setTimeout(() => void this.#launch(), seconds * 1000);
  }

  #fail(error: unknown, exit: InstanceDetails = {}): void {
    if (this.#stopping) {
      this.#finish('STOPPED', exit);
      return;
    }
    const data = toErrorData(error);
    const ids = { ...data.ids, service: this.#service.id, instance: this.id };
    this.#finish('FAILED', { ...exit, error: { ...data, ids } });
  }

  #finish(state: 'STOPPED' | 'FAILED', details: InstanceDetails): void {
    void this.#finishWithOutput(state, details).catch((error: unknown) => log(`the end of ${this.id} failed`, error));
  }

  async #finishWithOutput(state: 'STOPPED' | 'FAILED', details: InstanceDetails): Promise<void> {
    if (this.over) return;
    const { output, scheduler } = this.#context;
    const known = { ...details };
    try {
      known.output = await output.pack(this.id);
      this.#hasOutput = true;
    } catch (error) {
      log(`output of ${this.id} cannot be packed`, error);
    }
    if (this.over) return;
    const cause = state === 'STOPPED' && this.#stopCause ? { error: this.#stopCause.toJSON() } : {};
    const error = details.error ?? cause.error;
    if (error) this.#error = PilothouseError.from(error);
    this.#record.enter(state, { ...known, ...cause, reason: null }, () => this.#cleanUp());
    const grant = this.#grant;
    this.#grant = undefined;
    if (grant) scheduler.release(grant);
  }

  /** Removes what is not needed any more, once the end stands in the journal. */
  #cleanUp(): void {
    const { warden, output, pilot } = this.#context;
    warden.acknowledge([this.#spawnId]);
    const work = [forgetKey(join(pilot.folder, 'services'), this.id)];
    if (this.#hasOutput) work.push(output.discard(this.id));
    Promise.all(work).catch((error: unknown) => log(`something of ${this.id} is left on the node`, error));
  }
}

/** What attempts have used one after the other. */
function together(before: ProcessUsage | null, last: ProcessUsage | null): ProcessUsage | null {
  if (before === null || last === null) return last ?? before;
  return {
    wall: before.wall + last.wall,
    cpu: before.cpu + last.cpu,
    maxRss: Math.max(before.maxRss, last.maxRss),
    read: before.read + last.read,
    written: before.written + last.written,
  };
}
