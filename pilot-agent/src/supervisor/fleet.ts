import { newId } from '@pilothouse/sdk/internal';
import type { Method, ServiceSpec } from '@pilothouse/sdk/shared';
import type { AttemptTools } from './attempt.js';
import { Drain, type Senders } from './drain.js';
import { Instance } from './instance.js';
import type { PastInstance } from './instance-record.js';
import type { Why } from './views.js';

/** After so long an instance of a service that scales may be replaced that has failed for good. */
const FORGIVEN_MS = 600_000;

/** What a service hears of its instances, and what is known of the requests they have. */
export interface FleetListener {
  changed(instance: Instance): void;
  said(methods: readonly Method[]): void;
  /** Requests that are under way at an instance, by whoever has sent them. */
  outstanding(instance: string): number;
  /** What is known of whoever sends requests, when this journal record says that they must not. */
  senders(seq: number): Senders;
}

/** The instances of one service. */
export class Fleet {
  readonly #tools: AttemptTools;
  readonly #spec: ServiceSpec;
  readonly #listener: FleetListener;
  readonly #all: Instance[] = [];
  readonly #drains = new Map<Instance, Drain>();
  /** When instances have failed (milliseconds since 1970). */
  readonly #failedAt = new Map<Instance, number>();
  #forgivenBefore = 0;
  /** The last order to restart all of them. */
  #restart = 0;

  constructor(
    tools: AttemptTools,
    spec: ServiceSpec,
    past: ReadonlyMap<string, PastInstance>,
    listener: FleetListener,
  ) {
    this.#tools = tools;
    this.#spec = spec;
    this.#listener = listener;
    const told = new Set(spec.instances.map(({ id }) => id));
    for (const { id, index } of spec.instances) this.#add(id, index, past.get(id));
    for (const one of past.values()) {
      if (one.service === spec.id && !told.has(one.id)) this.#add(one.id, one.index ?? this.#freeIndex(), one);
    }
  }

  get all(): readonly Instance[] {
    return this.#all;
  }

  /** Those that have not ended. */
  get live(): readonly Instance[] {
    return this.#all.filter(({ over }) => !over);
  }

  /** Those that have neither ended nor are about to. */
  get staying(): readonly Instance[] {
    return this.#all.filter(({ over, leaving }) => !over && !leaving);
  }

  get draining(): boolean {
    return this.#all.some(({ draining, over }) => draining && !over);
  }

  /** How many have failed for good and are not replaced. */
  failures(now: number, forgives: boolean): number {
    let count = 0;
    for (const at of this.#failedAt.values()) {
      if (at >= this.#forgivenBefore && !(forgives && now - at > FORGIVEN_MS)) count += 1;
    }
    return count;
  }

  /** Somebody asks anew for a number of instances: what failed before counts no more. */
  forgive(before: number): void {
    this.#forgivenBefore = Math.max(this.#forgivenBefore, before);
  }

  /** Goes on with what earlier agents have left. @param why - what all that have not started must wait for first */
  begin(why: Why | undefined): void {
    for (const instance of this.#all) instance.begin(why);
  }

  add(why: Why | undefined): void {
    const instance = this.#add(newId('instance'), this.#freeIndex(), undefined);
    instance.wantRestart(this.#restart);
    instance.begin(why);
  }

  /** Lets so many go: those first that have nothing to answer, then those with the least to do. */
  remove(count: number): void {
    const { outstanding } = this.#listener;
    const isReady = ({ state }: Instance) => (state === 'READY' ? 1 : 0);
    const order = [...this.staying].sort(
      (a, b) => isReady(a) - isReady(b) || outstanding(a.id) - outstanding(b.id) || b.index - a.index,
    );
    for (const instance of order.slice(0, count)) instance.drain();
  }

  /** An order to restart: all of them, or one. */
  wantRestart(order: number, id: string | undefined): void {
    if (id === undefined) this.#restart = Math.max(this.#restart, order);
    for (const instance of this.#all) if (id === undefined || instance.id === id) instance.wantRestart(order);
  }

  /**
   * Takes the next step where instances drain or are to be restarted, one after the other.
   *
   * @param now - milliseconds, monotonic
   * @returns whether there is more to do
   */
  step(now: number): boolean {
    for (const instance of this.live) {
      if (!instance.draining || !this.#isEmpty(instance, now)) continue;
      this.#drains.delete(instance);
      if (instance.mustRestart) instance.restartNow();
      else instance.stop();
    }
    return this.#stepRestart() || this.draining;
  }

  #isEmpty(instance: Instance, now: number): boolean {
    let drain = this.#drains.get(instance);
    if (drain === undefined) {
      drain = new Drain(now);
      this.#drains.set(instance, drain);
    }
    if (instance.state !== 'READY') return true;
    const { load } = instance;
    if (load !== undefined) void instance.probeNow();
    const own = load === undefined ? 0 : load.outstanding + load.queued;
    const outstanding = Math.max(own, this.#listener.outstanding(instance.id));
    return drain.look(now, outstanding, this.#listener.senders(instance.drainingSeq));
  }

  /**
   * The next one is restarted when the last one is ready again; when that has failed, the others stay as they are.
   *
   * @returns whether there is more to do
   */
  #stepRestart(): boolean {
    const due = this.staying.filter(({ mustRestart, hasStarted }) => mustRestart && hasStarted);
    if (due.length === 0) return false;
    const order = Math.max(...due.map(({ restartWanted }) => restartWanted));
    const done = this.#all.filter(({ restarted }) => restarted === order);
    if (done.some(({ state }) => state === 'FAILED')) return false;
    if (done.some(({ over, state }) => !over && state !== 'READY')) return true;
    const next = due.find(({ draining }) => draining) ?? due.sort((a, b) => a.index - b.index)[0];
    if (next === undefined || next.draining) return true;
    if (next.state === 'READY') next.takeNothingNew();
    else next.restartNow();
    return true;
  }

  #add(id: string, index: number, past: PastInstance | undefined): Instance {
    const instance: Instance = new Instance(this.#tools, this.#spec, { service: this.#spec.id, id, index }, past, {
      changed: () => this.#changed(instance),
      said: (methods) => this.#listener.said(methods),
    });
    this.#all.push(instance);
    if (past?.state === 'FAILED') this.#failedAt.set(instance, Date.parse(past.t));
    return instance;
  }

  #changed(instance: Instance): void {
    if (instance.state === 'FAILED' && !this.#failedAt.has(instance)) this.#failedAt.set(instance, Date.now());
    if (instance.over) this.#drains.delete(instance);
    this.#listener.changed(instance);
  }

  #freeIndex(): number {
    const used = new Set(this.#all.filter(({ over }) => !over).map(({ index }) => index));
    let index = 1;
    while (used.has(index)) index += 1;
    return index;
  }
}
