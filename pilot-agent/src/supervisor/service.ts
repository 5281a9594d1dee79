import type { Endpoint, Method, PilothouseError, ProbeResult, ScaleReport, ServiceSpec } from '@pilothouse/sdk/shared';
import type { Past } from '../journal/replay.js';
import type { AttemptTools } from './attempt.js';
import { Autoscaler } from './autoscaler.js';
import type { Senders } from './drain.js';
import { Fleet } from './fleet.js';
import type { Instance } from './instance.js';
import { Lifetime } from './lifetime.js';
import type { Gate, Predecessor } from './order.js';
import type { InstanceView, Load, LoadSource, ServiceView, Why } from './views.js';

type PastService = Past['services'] extends ReadonlyMap<string, infer T> ? T : never;

/** What a service needs of the others. */
export interface ServiceHost {
  readonly tools: AttemptTools;
  readonly past: Past;
  gateOf(spec: ServiceSpec): Gate;
  /** How many instances of it the pilot can hold beside the other services. */
  roomFor(spec: ServiceSpec): number;
  outstanding(instance: string): number;
  senders(seq: number): Senders;
  changed(service: Service, instance: Instance | undefined): void;
}

const SOON_MS = 200;
const OFTEN_MS = 500;

/** One service of the pilot: how many instances it has, when they start, and when it ends. */
export class Service implements Predecessor {
  readonly spec: ServiceSpec;
  readonly #host: ServiceHost;
  readonly #fleet: Fleet;
  readonly #lifetime: Lifetime;
  readonly #holds = new Set<string>();
  readonly #loads = new Map<LoadSource, Load>();
  #scaler: Autoscaler | undefined;
  #report: ScaleReport | null;
  /** Spool record up to which orders have been carried out. */
  #obeyed: number;
  #methods: readonly Method[] | undefined;
  #ending: Why | undefined;
  #held: Why | undefined;

  constructor(host: ServiceHost, spec: ServiceSpec) {
    this.#host = host;
    this.spec = spec;
    const past: PastService | undefined = host.past.services.get(spec.id);
    this.#report = past?.scale ?? null;
    this.#obeyed = past?.obeyed ?? 0;
    this.#methods = past?.methods;
    this.#ending = past?.ending;
    this.#lifetime = new Lifetime(spec.lifetime, Date.now());
    this.#fleet = new Fleet(host.tools, spec, host.past.instances, {
      changed: (instance) => host.changed(this, instance),
      said: (methods) => this.#said(methods),
      outstanding: (instance) => host.outstanding(instance),
      senders: (seq) => host.senders(seq),
    });
    if (spec.scale !== null && this.#report === null) {
      const { min, max } = spec.scale;
      this.#tell({ min, max, wanted: spec.instances.length, why: null });
    }
    this.#newScaler();
  }

  get instances(): readonly Instance[] {
    return this.#fleet.all;
  }

  get ready(): boolean {
    return this.#fleet.staying.some(({ state, draining }) => state === 'READY' && !draining);
  }

  get hasStarted(): boolean {
    return this.#fleet.all.some(({ hasStarted }) => hasStarted);
  }

  /** Nothing of it runs, and nothing will. */
  get over(): boolean {
    if (this.#fleet.live.length > 0) return false;
    return this.#ending !== undefined || (this.#missing() <= 0 && !this.#sleeps);
  }

  get held(): boolean {
    return this.#holds.size > 0;
  }

  get view(): ServiceView {
    const instances = this.#fleet.live.map(viewOf);
    return { spec: this.spec, over: this.over, ending: this.#ending !== undefined, instances, methods: this.#methods };
  }

  /** Takes over what an earlier agent has left, and starts what is new. */
  begin(stopped: PilothouseError | undefined): void {
    if (stopped) this.stop(stopped);
    else this.#fleet.begin(this.#look());
  }

  /** Ends all instances now. @param cause - why, when nobody asked for it */
  stop(cause?: PilothouseError): void {
    this.#ending ??= { code: 'STOPPED', text: cause?.message ?? 'it was stopped' };
    for (const instance of this.#fleet.all) instance.stop(cause);
  }

  lose(): void {
    this.#ending ??= { code: 'LAUNCHER_LOST', text: 'what watched over it was killed' };
    for (const instance of this.#fleet.live) instance.lose();
  }

  /** An order of the spool. @param at - when it was given, in milliseconds since 1970 */
  scale(order: number, at: number, min: number, max: number): void {
    if (order <= this.#obeyed || this.#ending) return;
    this.#fleet.forgive(at);
    const before = this.#report?.wanted ?? this.#fleet.staying.length;
    const wanted = Math.min(max, Math.max(min, before));
    this.#obeyed = order;
    this.#tell({ min, max, wanted, why: wanted === before ? null : `${before} → ${wanted}: asked for` });
    this.#newScaler();
  }

  drain(order: number, id: string | undefined): void {
    if (id === undefined) {
      this.#ending ??= { code: 'DRAINING', text: 'it takes nothing new and ends when it has answered' };
      for (const instance of this.#fleet.live) instance.drain();
      return;
    }
    const instance = this.#fleet.staying.find((one) => one.id === id);
    if (order <= this.#obeyed || instance === undefined) return;
    instance.drain();
    this.#obeyed = order;
    if (this.#report) {
      const { min, max, wanted } = this.#report;
      // Of a fixed number one fewer stays; one that scales gets another where it needs it.
      const fixed = min === max;
      const next = fixed ? Math.max(0, wanted - 1) : Math.max(min, wanted - 1);
      this.#tell({ min: fixed ? next : min, max: fixed ? Math.max(1, next) : max, wanted: next, why: null });
    }
  }

  restart(order: number, id: string | undefined): void {
    this.#fleet.wantRestart(order, id);
  }

  /** Keeps it alive. @returns takes that back */
  hold(why: string): () => void {
    const key = `${why} ${this.#holds.size} ${performance.now()}`;
    this.#holds.add(key);
    return () => this.#holds.delete(key);
  }

  demand(source: LoadSource, load: Load): void {
    this.#loads.set(source, load);
  }

  /**
   * Does what there is to do now.
   *
   * @returns milliseconds after which to look again, where nothing else happens; undefined: never
   */
  look(now: number): number | undefined {
    this.#gate();
    if (this.#ending === undefined) {
      this.#scale(now);
      this.#reconcile();
      this.#live();
    }
    if (this.#fleet.step(now)) return SOON_MS;
    return (this.#scales || this.#lifetime.limited) && !this.over ? OFTEN_MS : undefined;
  }

  get #scales(): boolean {
    return this.#report !== null && this.#report.min < this.#report.max;
  }

  /** It has no instance because nobody needs one. */
  get #sleeps(): boolean {
    return this.#scales && this.#report?.wanted === 0;
  }

  get #load(): number {
    let counted = 0;
    for (const { outstanding, queued } of this.#loads.values()) counted += outstanding + queued;
    // What instances say themselves includes what comes to them directly.
    let own = 0;
    for (const { load } of this.#fleet.live) own += load === undefined ? 0 : load.outstanding + load.queued;
    return Math.max(counted, own);
  }

  /** How many instances are to be started; negative: to be let go. */
  #missing(): number {
    if (this.#report === null) return 0;
    const given = this.#fleet.failures(Date.now(), this.#scales);
    return this.#report.wanted - this.#fleet.staying.length - given;
  }

  #look(): Why | undefined {
    if (this.hasStarted) return undefined;
    const gate = this.#host.gateOf(this.spec);
    this.#held = gate.state === 'waits' ? gate.why : undefined;
    return this.#held ?? (gate.state === 'never' ? { code: 'WAITS_FOR_SERVICE', text: gate.error.message } : undefined);
  }

  #gate(): void {
    const waiting = this.#fleet.live.filter(({ hasStarted }) => !hasStarted);
    if (waiting.length === 0) return;
    // What comes first counts for the first start: more instances of it wait for nothing.
    if (this.hasStarted) {
      this.#held = undefined;
      for (const instance of waiting) instance.go();
      return;
    }
    const before = this.#held?.text;
    const gate = this.#host.gateOf(this.spec);
    this.#held = gate.state === 'waits' ? gate.why : undefined;
    for (const instance of waiting) {
      if (gate.state === 'never') instance.fail(gate.error);
      else if (gate.state === 'open') instance.go();
      else if (before !== gate.why.text || instance.state !== 'WAITING') instance.hold(gate.why);
    }
  }

  #scale(now: number): void {
    if (!this.#scales || this.#scaler === undefined || this.#report === null) return;
    const { min, max, wanted } = this.#report;
    const room = this.#host.roomFor(this.spec);
    const decision = this.#scaler.decide({ now, load: this.#load, wanted, floor: this.held ? 1 : 0, room });
    if (decision === undefined || (decision.wanted === wanted && decision.why === this.#report.why)) return;
    this.#tell({ min, max, ...decision });
  }

  #reconcile(): void {
    const missing = this.#missing();
    for (let count = 0; count < missing; count += 1) this.#fleet.add(this.#held);
    if (missing < 0) this.#fleet.remove(Math.min(-missing, this.#fleet.staying.length));
  }

  #live(): void {
    if (!this.#lifetime.limited) return;
    // As long as nobody could use it, nobody has left it idle.
    const starting = this.#fleet.staying.length > 0 && !this.ready;
    const why = this.#lifetime.over(Date.now(), this.#load > 0 || starting, this.held);
    if (why === undefined) return;
    this.#ending = why;
    const ending = { ...why, since: new Date().toISOString() };
    this.#host.tools.context.journal.append({ type: 'service', id: this.spec.id, ending });
    for (const instance of this.#fleet.live) instance.drain();
  }

  #newScaler(): void {
    if (this.#report === null) return;
    const { min, max } = this.#report;
    const { target, upAfter, downAfter } = this.spec.scale ?? {
      target: this.spec.routing.concurrency,
      upAfter: UP_AFTER,
      downAfter: DOWN_AFTER,
    };
    this.#scaler = new Autoscaler({ min, max, target, upAfter, downAfter });
  }

  #tell(report: Omit<ScaleReport, 'since'>): void {
    this.#report = { ...report, since: report.why === null ? (this.#report?.since ?? null) : new Date().toISOString() };
    const obeyed = this.#obeyed > 0 ? { obeyed: this.#obeyed } : {};
    this.#host.tools.context.journal.append({ type: 'service', id: this.spec.id, scale: this.#report, ...obeyed });
  }

  #said(methods: readonly Method[]): void {
    if (JSON.stringify(methods) === JSON.stringify(this.#methods)) return;
    this.#methods = methods;
    this.#host.tools.context.journal.append({ type: 'service', id: this.spec.id, methods: [...methods] });
    this.#host.changed(this, undefined);
  }
}

/** Seconds; what a description without `scale` gets when it is told to scale. */
const UP_AFTER = 3;
const DOWN_AFTER = 300;

function viewOf(instance: Instance): InstanceView {
  const { id, index, state, draining, results } = instance;
  const endpoint: Endpoint | undefined = instance.endpoint;
  const probe: ProbeResult | undefined = results.readiness;
  return { id, index, state, endpoint, draining, probe };
}
