import {
  Balancer,
  balancerSettings,
  type Grant,
  type InstanceLoad,
  type InstanceRecord,
  median,
  type ServiceRecord,
  type ServiceStatistics,
  serviceStates,
  toSeconds,
} from '@pilothouse/sdk/internal';
import { neverArrived, type Parts, type Place, type Routable, type Seeking, type Target } from '@pilothouse/serving';
import type { Clock } from '../clock.js';
import { ended, notFound } from './ended.js';
import { StatisticsKeeper } from './service-statistics.js';

const HEALTH_ROUND_TRIPS = 5;
/** Milliseconds for which an address and its key are used without being looked up again. */
const TARGET_FRESH = 5_000;
/** Milliseconds in which it must be known where an instance answers. */
const TARGET_TIMEOUT = 10_000;

/** Finds where an instance is called, with which key and model. */
export type TargetOf = (service: ServiceRecord, instance: InstanceRecord, signal: AbortSignal) => Promise<Target>;

/** What a route needs of its surroundings. */
export interface RouteContext {
  readonly clock: Clock;
  /** Requests that one instance takes at a time where its description does not say. */
  readonly concurrency: (service: ServiceRecord) => number;
  readonly targetOf: TargetOf;
  readonly onChange: (id: string) => void;
}

interface Known {
  attempt: number;
  probedAt: string;
  readonly roundTrips: number[];
  target: { readonly until: number; readonly found: Promise<Target>; value?: Target } | undefined;
}

/** The way to one service: its instances as the picture has them, behind a balancer. */
export class ServiceRoute implements Routable {
  readonly #context: RouteContext;
  readonly #balancer: Balancer;
  readonly #statistics = new StatisticsKeeper();
  readonly #known = new Map<string, Known>();
  /** Requests that the pilot's own gateway has under way, by instance. */
  #elsewhere: Readonly<Record<string, InstanceLoad>> = {};
  #service: ServiceRecord;

  constructor(context: RouteContext, service: ServiceRecord) {
    this.#context = context;
    this.#service = service;
    this.#balancer = new Balancer(this.#settings(), {
      name: service.name,
      ids: { service: service.id },
      clock: {
        now: () => context.clock.monotonic(),
        after: (milliseconds, work) => {
          const timer = setTimeout(work, milliseconds).unref();
          return () => clearTimeout(timer);
        },
      },
      totals: service.load.recent,
      onChange: () => {
        this.#statistics.waiting(context.clock.now(), this.#balancer.queued);
        context.onChange(service.id);
      },
      whyNone: () => (this.#service.reason === null ? '' : `: ${this.#service.reason.text}`),
    });
    this.observe(service);
  }

  get id(): string {
    return this.#service.id;
  }

  get name(): string {
    return this.#service.name;
  }

  get api() {
    return this.#service.api;
  }

  get model(): string | null {
    return this.#service.model;
  }

  get pilot(): string | null {
    return this.#service.pilot;
  }

  get attemptTimeout(): number | null {
    const { attemptTimeout } = this.#service.description.routing;
    return attemptTimeout === undefined ? null : toSeconds(attemptTimeout) * 1000;
  }

  get hedgeAfter(): number | null {
    const { hedgeAfter } = this.#service.description.routing;
    return hedgeAfter === undefined ? null : toSeconds(hedgeAfter) * 1000;
  }

  get retries(): number {
    return this.#service.description.routing.retries;
  }

  /** Takes in what the latest record says. */
  observe(service: ServiceRecord): void {
    const routing = service.description.routing !== this.#service.description.routing;
    this.#service = service;
    if (serviceStates.isFinal(service.state) || service.state === 'STOPPING') this.#balancer.end(ended(service));
    if (routing) this.#balancer.configure(this.#settings());
    for (const instance of service.instances) this.#instance(instance.id).roundTrips.push(...this.#latency(instance));
    const ids = new Set(service.instances.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    const open = service.instances.filter(
      ({ state, endpoint, draining }) => state === 'READY' && endpoint !== null && !draining,
    );
    this.#balancer.update(open.map(({ id, index, attempt }) => ({ id, index, incarnation: attempt })));
  }

  /** The service is not in the picture any more. */
  drop(): void {
    this.#balancer.end(notFound(this.id));
  }

  async acquire(seeking: Seeking): Promise<Place> {
    let asking = seeking;
    for (;;) {
      const grant = await this.#balancer.acquire(asking);
      const instance = this.#service.instances.find(({ id }) => id === grant.candidate.id);
      try {
        if (instance === undefined) throw notFound(grant.candidate.id);
        const ready = this.#ready(instance.id);
        if (ready !== undefined) return this.#place(grant, ready);
        const target = await this.#target(instance);
        if (!seeking.signal.aborted) return this.#place(grant, target);
      } catch (error) {
        // Nothing has been sent: another instance may be reached.
        if (neverArrived(error)) grant.failed(error instanceof Error ? error.message : String(error), true);
        else grant.dropped();
        const tried = new Set([...(asking.tried ?? []), grant.candidate.id]);
        if (seeking.instance !== undefined || !this.hasOther(tried)) throw error;
        asking = { ...seeking, tried };
        continue;
      }
      grant.dropped();
      throw seeking.signal.reason;
    }
  }

  hasOther(tried: ReadonlySet<string>): boolean {
    return this.#balancer.hasOther(tried);
  }

  /** The pilot's own gateway said what it has under way. */
  heard(loads: Readonly<Record<string, InstanceLoad>>): void {
    this.#elsewhere = loads;
    for (const [id, { outstanding }] of Object.entries(loads)) {
      this.#balancer.reported(id, this.#balancer.outstandingAt(id) + outstanding);
    }
  }

  /** Ids of its instances, live ones and those that ended last. */
  get instances(): readonly string[] {
    return this.#service.instances.map(({ id }) => id);
  }

  /** What this router itself has under way and waiting; by instance what is under way. */
  get demand(): { readonly outstanding: number; readonly queued: number; readonly instances: Record<string, number> } {
    const { outstanding, queued } = this.#balancer;
    const busy = this.instances.flatMap((id) => {
      const count = this.#balancer.outstandingAt(id);
      return count === 0 ? [] : [[id, count] as const];
    });
    return { outstanding, queued, instances: Object.fromEntries(busy) };
  }

  /** What people see of the load. */
  get load(): ServiceRecord['load'] {
    const { p50, p99, perSecond, failed, recent } = this.#balancer.measured();
    const elsewhere = Object.values(this.#elsewhere).reduce((sum, { outstanding }) => sum + outstanding, 0);
    const { outstanding, queued } = this.#balancer;
    return { outstanding: outstanding + elsewhere, queued, p50, p99, perSecond, failed, recent: [...recent] };
  }

  /** What people see of the load of one instance. */
  loadOf(id: string): InstanceLoad | null {
    const load = this.#balancer.loadOf(id);
    const elsewhere = this.#elsewhere[id];
    if (load === null || elsewhere === undefined) return load ?? elsewhere ?? null;
    return { ...load, outstanding: load.outstanding + elsewhere.outstanding, p50: load.p50 ?? elsewhere.p50 };
  }

  statistics(step: number, buckets: number): ServiceStatistics {
    return this.#statistics.report(this.#context.clock.now(), step, buckets);
  }

  #settings() {
    const { routing } = this.#service.description;
    return balancerSettings({
      ...routing,
      concurrency: routing.concurrency ?? this.#context.concurrency(this.#service),
    });
  }

  #instance(id: string): Known {
    let known = this.#known.get(id);
    if (known === undefined) {
      known = { attempt: -1, probedAt: '', roundTrips: [], target: undefined };
      this.#known.set(id, known);
    }
    return known;
  }

  /** The health round trip that its latest record tells anew, if any. */
  #latency({ id, attempt, probe }: InstanceRecord): number[] {
    const known = this.#instance(id);
    if (attempt !== known.attempt) {
      known.attempt = attempt;
      known.target = undefined;
    }
    if (probe === null || !probe.ok || probe.at === known.probedAt) return [];
    known.probedAt = probe.at;
    if (known.roundTrips.length >= HEALTH_ROUND_TRIPS) known.roundTrips.shift();
    return [probe.latency];
  }

  /** The next request looks up where instances answer, and with which key. */
  forgetTargets(): void {
    for (const known of this.#known.values()) known.target = undefined;
  }

  #target(instance: InstanceRecord): Promise<Target> {
    const known = this.#instance(instance.id);
    const now = this.#context.clock.monotonic();
    if (known.target !== undefined && now < known.target.until) return known.target.found;
    const found = this.#context.targetOf(this.#service, instance, AbortSignal.timeout(TARGET_TIMEOUT));
    const looked: Known['target'] = { until: now + TARGET_FRESH, found };
    known.target = looked;
    found.then(
      (value) => {
        looked.value = value;
      },
      () => {
        // The next request looks again.
        if (known.target === looked) known.target = undefined;
      },
    );
    return found;
  }

  /** The target where it is known without waiting. */
  #ready(id: string): Target | undefined {
    const known = this.#known.get(id)?.target;
    return known !== undefined && this.#context.clock.monotonic() < known.until ? known.value : undefined;
  }

  #place(grant: Grant, target: Target): Place {
    const { clock } = this.#context;
    const statistics = this.#statistics;
    const { id, index } = grant.candidate;
    return {
      instance: { id, index },
      target,
      roundTrip: median(this.#known.get(id)?.roundTrips ?? []) ?? 0,
      succeeded: (total: number, parts?: Parts) => {
        statistics.succeeded(clock.now(), total, parts);
        grant.succeeded(total);
      },
      failed: (why, refused) => {
        statistics.failed(clock.now());
        grant.failed(why, refused);
      },
      dropped: () => grant.dropped(),
    };
  }
}
