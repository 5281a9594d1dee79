import {
  type Endpoint,
  type Method,
  PilothouseError,
  type ProbeResult,
  type ProbeRole,
  toErrorData,
  toSeconds,
} from '@pilothouse/sdk/shared';
import type { ProcessUsage, SpawnExit, SpawnWatcher } from '../launcher/warden-client.js';
import { log } from '../log.js';
import { GRACE_SECONDS, type NodeContext } from '../node-context.js';
import { SPAWN_VARIABLE } from '../tasks/environment.js';
import { inWords, launcherLost, processEnd, spawnFailed } from '../tasks/task-end.js';
import { BootstrapClock } from './bootstrap.js';
import { diagnose } from './failure.js';
import type { InstanceDetails } from './instance-record.js';
import { giveBackPorts, type LaunchTools, prepareLaunch, programOf, type Start } from './launch.js';
import type { Listeners } from './listeners.js';
import { Looks, type OwnLoad } from './looks.js';
import { OutputWatch, type Progress } from './output-watch.js';
import { type Crowd, untilReady } from './start.js';
import { Watch } from './watch.js';

/** What all attempts of a pilot share. */
export interface AttemptTools extends LaunchTools {
  readonly context: NodeContext;
  readonly listeners: Listeners;
  readonly crowd: Crowd;
}

/** What becomes of an attempt. */
export interface AttemptListener {
  /** Its ports are chosen; to be written down before anything listens on them. */
  prepared(endpoint: Endpoint, outputFrom: [number, number]): void;
  /** Its process runs. */
  started(pid: number): void;
  /** @returns number of the journal record that says so */
  ready(probe: ProbeResult): number;
  unhealthy(probe: ProbeResult): void;
  recovered(probe: ProbeResult): void;
  said(methods: readonly Method[]): void;
  /** Nothing of it is left. `final`: another start would end in the same way. */
  over(end: AttemptEnd): void;
}

/** How an attempt has ended. */
export interface AttemptEnd {
  readonly error: PilothouseError;
  readonly final: boolean;
  readonly exit: InstanceDetails;
  readonly usage: ProcessUsage | null;
}

/** One start of an instance: a process, from its launch to its end. */
export class Attempt {
  readonly spawnId: string;
  readonly clock = new BootstrapClock();
  readonly #tools: AttemptTools;
  readonly #start: Start;
  readonly #listener: AttemptListener;
  readonly #stopped = new AbortController();
  #endpoint: Endpoint | undefined;
  #outputFrom: [number, number] = [0, 0];
  #looks: Looks | undefined;
  #output: OutputWatch | undefined;
  #watch: Watch | undefined;
  #spawned = false;
  #ending = false;
  #endCause: PilothouseError | undefined;
  #warming = false;
  #over = false;
  #told = false;

  constructor(tools: AttemptTools, start: Start, listener: AttemptListener) {
    this.#tools = tools;
    this.#start = start;
    this.#listener = listener;
    this.spawnId = `${start.id}:${start.attempt}`;
  }

  /** The latest result of each probe. */
  get results(): Readonly<Partial<Record<ProbeRole, ProbeResult>>> {
    return this.#looks?.results ?? {};
  }

  /** How far it has loaded, by what it writes. */
  get progress(): Progress | undefined {
    return this.#warming ? { text: 'warming up', share: null } : this.#output?.progress;
  }

  get load(): OwnLoad | undefined {
    return this.#looks?.load;
  }

  /** Prepares everything and starts the process. */
  async launch(): Promise<void> {
    const { context } = this.#tools;
    const { id } = this.#start;
    this.clock.asked();
    try {
      const { program, endpoint } = await prepareLaunch(this.#tools, this.#start);
      this.#endpoint = endpoint;
      this.#outputFrom = await context.output.sizes(id);
      this.#listener.prepared(endpoint, this.#outputFrom);
      // The ports must stand in the journal before anything listens on them: the next agent finds the instance by them.
      await context.journal.flush();
      if (this.#ending) {
        this.#finish(this.#endCause ?? launcherLost(this.#start.service.name, id), {}, null);
        return;
      }
      this.#spawned = true;
      context.warden.spawn(
        {
          ...program,
          id: this.spawnId,
          mark: this.#mark,
          stdout: context.output.livePath(id, 'stdout'),
          stderr: context.output.livePath(id, 'stderr'),
          cpus: context.pilot.cpus,
        },
        this.#watcher(),
      );
    } catch (error) {
      const typed = error instanceof PilothouseError ? error : PilothouseError.from(toErrorData(error), error);
      this.#finish(this.#endCause ?? typed, {}, null, typed.code !== 'PORT_IN_USE');
    }
  }

  /** Takes over what an earlier agent has started: it runs on, and is looked at before anything is said about it. */
  adopt(endpoint: Endpoint | undefined, outputFrom: [number, number]): void {
    this.#spawned = true;
    this.#endpoint = endpoint;
    this.#outputFrom = outputFrom;
    this.#tools.context.warden.adopt(this.spawnId, this.#watcher());
  }

  /** Looks until it is ready. */
  awaitReady(pid: number): void {
    const { service } = this.#start;
    const endpoint = this.#endpoint;
    const looks = this.#lookAt(pid);
    if (looks === undefined || endpoint === undefined) return;
    const { crowd } = this.#tools;
    const signal = this.#stopped.signal;
    const read = new AbortController();
    signal.addEventListener('abort', () => read.abort());
    this.#output?.start(read.signal);
    const warming = (): void => {
      this.#warming = true;
    };
    untilReady({ service, endpoint, looks, crowd, signal, warming }).then(
      (probe) => {
        this.#warming = false;
        read.abort();
        if (probe !== undefined && !signal.aborted) this.#ready(probe, looks);
      },
      (error: unknown) => this.end(PilothouseError.from(toErrorData(error), error)),
    );
  }

  /** Goes on looking at one that an earlier agent has seen ready. */
  keepWatching(pid: number, healthy: boolean): void {
    const looks = this.#lookAt(pid);
    if (looks) this.#beginWatch(looks, healthy, 0);
  }

  async lookNow(): Promise<void> {
    if (this.#watch) await this.#watch.lookNow();
    else await this.#looks?.look('readiness');
  }

  /** Ends its process; what becomes of the instance is for others to say. */
  end(cause: PilothouseError): void {
    if (this.#over) return;
    this.#endCause ??= cause;
    this.#ending = true;
    this.#stopped.abort();
    if (this.#spawned) this.#tools.context.warden.end([this.spawnId], GRACE_SECONDS);
  }

  /** Whether there is a process, or may be. */
  get runs(): boolean {
    return this.#spawned && !this.#over;
  }

  get #mark(): string {
    return `${SPAWN_VARIABLE}=${this.spawnId}`;
  }

  #lookAt(pid: number): Looks | undefined {
    const { context, listeners, ports } = this.#tools;
    const { service, id } = this.#start;
    const endpoint = this.#endpoint;
    if (endpoint === undefined) {
      this.end(launcherLost(service.name, id));
      return undefined;
    }
    for (const url of Object.values(endpoint.ports)) ports.keep(Number(new URL(url).port));
    const paths = [context.output.livePath(id, 'stdout'), context.output.livePath(id, 'stderr')];
    try {
      const output = new OutputWatch(paths, this.#outputFrom, service.progress);
      const command = (argv: readonly string[]) => programOf(this.#tools, this.#start, endpoint, argv);
      const looks = new Looks({ service, endpoint, pid, mark: this.#mark, output, listeners, command });
      this.#output = output;
      this.#looks = looks;
      return looks;
    } catch (error) {
      this.end(PilothouseError.from(toErrorData(error), error));
      return undefined;
    }
  }

  #ready(probe: ProbeResult, looks: Looks): void {
    this.clock.ready(this.#listener.ready(probe));
    this.#tellMethods(looks);
    this.#beginWatch(looks, true, toSeconds(this.#start.service.probes.readiness.interval) * 1000);
  }

  #beginWatch(looks: Looks, healthy: boolean, after: number): void {
    const listener = this.#listener;
    const watch = new Watch(this.#start.service, looks, healthy, this.#stopped.signal, {
      unhealthy: (probe) => listener.unhealthy(probe),
      recovered: (probe) => listener.recovered(probe),
      giveUp: (error) => this.end(error),
    });
    this.#watch = watch;
    watch.begin(after);
  }

  #tellMethods({ methods }: Looks): void {
    if (this.#told || methods === undefined) return;
    this.#told = true;
    this.#listener.said(methods);
  }

  #watcher(): SpawnWatcher {
    const { service, id } = this.#start;
    return {
      started: (pid) => {
        this.clock.runs();
        if (!this.#ending) this.#listener.started(pid);
      },
      exited: (code, exit) => void this.#exited(code, exit),
      failed: (failure) => this.#finish(spawnFailed(service.name, failure), {}, null, true),
      lost: () => this.#finish(launcherLost(service.name, id), {}, null),
    };
  }

  async #exited(code: number, { usage }: SpawnExit): Promise<void> {
    this.#stopped.abort();
    const { service, id } = this.#start;
    const end = processEnd(code);
    const tail = await this.#tools.context.output.stderrTail(id, this.#outputFrom[1]).catch((error: unknown) => {
      log(`error output of ${id} cannot be read`, error);
      return '';
    });
    const exit = {
      ...(end.exitCode === undefined ? {} : { exitCode: end.exitCode }),
      ...(tail ? { stderrTail: tail } : {}),
    };
    const ports = Object.values(this.#endpoint?.ports ?? {}).map((url) => new URL(url).port);
    this.#finish(this.#endCause ?? diagnose(service, id, inWords(end), tail, ports), exit, usage);
  }

  #finish(error: PilothouseError, exit: InstanceDetails, usage: ProcessUsage | null, final = false): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopped.abort();
    if (this.#endpoint) giveBackPorts(this.#tools.ports, this.#endpoint);
    this.#listener.over({ error, final: final || error.code === 'INVALID_DESCRIPTION', exit, usage });
  }
}
