import {
  type Endpoint,
  type Method,
  PilothouseError,
  type ProbeResult,
  type ServiceSpec,
} from '@pilothouse/sdk/shared';
import type { ProcessUsage } from '../launcher/warden-client.js';
import type { Grant } from '../scheduler/demand.js';
import { Attempt, type AttemptEnd, type AttemptTools } from './attempt.js';
import { BootstrapClock } from './bootstrap.js';
import type { InstanceName, InstanceRecord, PastInstance } from './instance-record.js';
import { Restarts } from './restarts.js';

/** Who hears of the processes of an instance. */
export interface RunsListener {
  /** What drained is gone: what comes now takes requests again. */
  renewed(): void;
  said(methods: readonly Method[]): void;
  /** Whether it is to go, and not to start again. */
  isLeaving(): boolean;
  /** Nothing of it is left, and it does not start again. */
  over(end: AttemptEnd): void;
}

/** The processes of one instance, one after the other. */
export class Runs {
  readonly #tools: AttemptTools;
  readonly #service: ServiceSpec;
  readonly #name: InstanceName;
  readonly #record: InstanceRecord;
  readonly #listener: RunsListener;
  readonly #restarts: Restarts;
  readonly #outputFrom: [number, number];
  #number: number;
  #grant: Grant | undefined;
  #attempt: Attempt | undefined;
  #timer: NodeJS.Timeout | undefined;
  #used: ProcessUsage | null = null;
  #endpoint: Endpoint | undefined;
  #stopping = false;
  /** The orders to restart: the last one that is for it, and the last one it was started after. */
  #wanted = 0;
  #restarted: number;

  constructor(
    tools: AttemptTools,
    service: ServiceSpec,
    name: InstanceName,
    record: InstanceRecord,
    past: PastInstance | undefined,
    listener: RunsListener,
  ) {
    this.#tools = tools;
    this.#service = service;
    this.#name = name;
    this.#record = record;
    this.#listener = listener;
    this.#restarts = new Restarts(service, past?.restarts ?? 0);
    this.#outputFrom = past?.outputFrom ?? [0, 0];
    this.#number = past?.attempt ?? 1;
    this.#restarted = past?.restarted ?? 0;
    this.#endpoint = past?.endpoint;
  }

  /** Number of the attempt: 1, 2, 3 … */
  get number(): number {
    return this.#number;
  }

  get spawnId(): string {
    return `${this.#name.id}:${this.#number}`;
  }

  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  get attempt(): Attempt | undefined {
    return this.#attempt;
  }

  /** What its processes have used that have ended by now; null: nothing is known. */
  get used(): ProcessUsage | null {
    return this.#used;
  }

  get mustRestart(): boolean {
    return this.#wanted > this.#restarted;
  }

  /** The last order to restart that is for it. */
  get wanted(): number {
    return this.#wanted;
  }

  /** The last order to restart that it was started after. */
  get restarted(): number {
    return this.#restarted;
  }

  /** The attempt of an earlier agent is over. */
  next(): void {
    this.#number += 1;
  }

  /** An order to restart is for it too. */
  want(order: number): void {
    this.#wanted = Math.max(this.#wanted, order);
  }

  /** It is to go instead. */
  unwant(): void {
    this.#wanted = 0;
  }

  launch(grant: Grant): void {
    this.#grant = grant;
    this.#record.enter('LAUNCHING', { attempt: this.#number, ...this.#renew() });
    void this.#newAttempt(grant).launch();
  }

  launchIn(grant: Grant, seconds: number): void {
    this.#grant = grant;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.launch(grant), seconds * 1000);
  }

  /** Takes over what an earlier agent has started. */
  adopt(grant: Grant): void {
    this.#grant = grant;
    this.#newAttempt(grant).adopt(this.#endpoint, this.#outputFrom);
  }

  /** Its resources are its own again, but its process is gone. */
  adopted(grant: Grant): void {
    this.#grant = grant;
  }

  /** Starts it anew at once; what is under way there is cut off. */
  restart(): void {
    const { id, index } = this.#name;
    this.#restarts.renew();
    if (this.#attempt === undefined && this.#grant !== undefined) this.launchIn(this.#grant, 0);
    const text = `${this.#service.name} instance ${index} is restarted`;
    this.#attempt?.end(new PilothouseError('SERVICE_STOPPED', text, { ids: { instance: id } }));
  }

  /** Ends what runs, for good. @returns whether anything runs, whose end is told */
  stop(cause: PilothouseError): boolean {
    this.#stopping = true;
    clearTimeout(this.#timer);
    if (this.#attempt === undefined) return false;
    this.#attempt.end(cause);
    return true;
  }

  /** What followed its end, told by an earlier agent or this one: another start, or none. */
  ended(end: AttemptEnd): void {
    const clock = this.#attempt?.clock ?? new BootstrapClock();
    this.#attempt = undefined;
    this.#used = together(this.#used, end.usage);
    const grant = this.#grant;
    if (this.#stopping || this.#listener.isLeaving() || grant === undefined || (end.final && !this.mustRestart)) {
      this.#listener.over(end);
      return;
    }
    const { error } = end;
    const restart = this.mustRestart
      ? { delay: 0, code: 'RESTARTING', text: 'restarted, as somebody asked for it' }
      : { code: error.code, ...this.#restarts.next(error, clock.sinceReady) };
    if (restart.delay === undefined || restart.text === undefined) {
      this.#listener.over(end);
      return;
    }
    const evidence = error.evidence === undefined || this.mustRestart ? {} : { evidence: error.evidence };
    const reason = { code: restart.code, text: restart.text, since: new Date().toISOString(), ...evidence };
    const spawnId = this.spawnId;
    const details = { ...end.exit, restarts: this.#restarts.used, reason, ...this.#renew() };
    this.#record.enter('BACKOFF', details, () => this.#tools.context.warden.acknowledge([spawnId]));
    this.#number += 1;
    this.launchIn(grant, restart.delay);
  }

  /** Whatever starts now counts as started after all orders to restart. */
  #renew(): { restarted?: number; draining?: false } {
    if (!this.mustRestart) return {};
    this.#restarted = this.#wanted;
    this.#listener.renewed();
    return { restarted: this.#restarted, draining: false };
  }

  #newAttempt(grant: Grant): Attempt {
    const { id, index } = this.#name;
    const record = this.#record;
    const start = { service: this.#service, id, index, attempt: this.#number, grant };
    const attempt = new Attempt(this.#tools, start, {
      prepared: (endpoint, outputFrom) => {
        this.#endpoint = endpoint;
        record.note({ attempt: this.#number, endpoint, outputFrom });
      },
      started: (pid) => this.#started(pid, attempt),
      ready: (probe) => {
        return record.enter('READY', { probe, ...(this.#endpoint ? { endpoint: this.#endpoint } : {}) });
      },
      unhealthy: (probe) => record.enter('UNHEALTHY', { probe, reason: notAnswering(probe) }),
      recovered: (probe) => record.enter('READY', { probe }),
      said: (methods) => this.#listener.said(methods),
      over: (end) => this.ended(end),
    });
    this.#attempt = attempt;
    return attempt;
  }

  #started(pid: number, attempt: Attempt): void {
    if (this.#stopping) return;
    const { state } = this.#record;
    if (state === 'LAUNCHING') this.#record.enter('INITIALIZING', { attempt: this.#number, pid });
    if (state === 'LAUNCHING' || state === 'INITIALIZING') attempt.awaitReady(pid);
    else attempt.keepWatching(pid, state === 'READY');
  }
}

function notAnswering({ text, at }: ProbeResult): { code: string; text: string; since: string } {
  return { code: 'PROBE_FAILS', text: `not answering: ${text}`, since: at };
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
