import type { InstanceLoad, RemoteService } from '@pilothouse/sdk/shared';
import {
  type Adapters,
  BalancedRoute,
  createAdapters,
  type Directory,
  type Routable,
  type RouteDescription,
  type RouteInstance,
} from '@pilothouse/serving';
import type { ServiceSource, SourceService } from './service-source.js';

/** Milliseconds between two times that the supervisor is told what there is to do; it scales by it. */
const DEMAND_MS = 250;

interface Known {
  readonly route: BalancedRoute;
  /** Folders whose files requests may name; null: it does not run here. */
  readonly files: readonly string[] | null;
  readonly remote: boolean;
}

/** All services that are called from this pilot: its own, and those of elsewhere that its tasks and batches name. */
export class PilotDirectory implements Directory {
  readonly #source: ServiceSource;
  readonly #known = new Map<string, Known>();
  readonly #busy = new Set<string>();
  readonly #adapters: Adapters = createAdapters();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(source: ServiceSource) {
    this.#source = source;
    this.#unsubscribe = source.onChange(() => this.#look());
    source.loadOf((instance) => this.outstandingAt(instance));
    this.#look();
  }

  find(name: string): Routable | undefined {
    const known = this.#known.get(name) ?? [...this.#known.values()].find(({ route }) => route.name === name);
    return known?.route;
  }

  list(): readonly Routable[] {
    return [...this.#known.values()].map(({ route }) => route);
  }

  /** A service of elsewhere is there, or has changed. */
  remote(service: RemoteService): void {
    const instances = service.endpoints.map(({ index, endpoint }) => ({
      id: `${service.id}.${index}`,
      index,
      endpoint,
      roundTrip: 0,
    }));
    this.#update(service, instances, null, true);
  }

  /** Absolute folders whose files requests to a service may name; null: it does not run here. */
  filesOf(service: string): readonly string[] | null {
    return this.#known.get(service)?.files ?? null;
  }

  /** Requests under way, by instance of this pilot; only what is not idle. */
  get loads(): Record<string, InstanceLoad> {
    const all: Record<string, InstanceLoad> = {};
    for (const { route, remote } of this.#known.values()) {
      if (remote) continue;
      for (const [id, load] of Object.entries(route.loads)) {
        if (load.outstanding > 0 || load.p50 !== null || load.ejectedUntil !== null) all[id] = load;
      }
    }
    return all;
  }

  outstandingAt(instance: string): number {
    let sum = 0;
    for (const { route } of this.#known.values()) sum += route.balancer.outstandingAt(instance);
    return sum;
  }

  close(): void {
    this.#unsubscribe();
    clearTimeout(this.#timer);
    this.#adapters.close();
  }

  #look(): void {
    for (const service of this.#source.services()) {
      const { spec, over, instances } = service;
      if (over) {
        this.#end(service);
        continue;
      }
      const ready = instances.flatMap(({ id, index, state, endpoint, draining, probe }): RouteInstance[] =>
        state === 'READY' && endpoint !== undefined && !draining
          ? [{ id, index, endpoint, roundTrip: probe?.latency ?? 0 }]
          : [],
      );
      this.#update(spec, ready, spec.files, false);
    }
  }

  #update(
    description: RouteDescription,
    instances: readonly RouteInstance[],
    files: readonly string[] | null,
    remote: boolean,
  ): void {
    const { id } = description;
    let known = this.#known.get(id);
    if (known === undefined) {
      const route = new BalancedRoute(description, {
        models: (target, api, signal) => this.#adapters.byApi[api].models(target, signal),
        onChange: () => this.#changed(id),
      });
      known = { route, files, remote };
      this.#known.set(id, known);
    } else if (remote) known.route.describe(description);
    known.route.update(instances);
  }

  #end({ spec: { id } }: SourceService): void {
    this.#known.get(id)?.route.stop();
    this.#known.delete(id);
  }

  #changed(id: string): void {
    this.#busy.add(id);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const service of this.#busy) {
        const known = this.#known.get(service);
        if (known === undefined || known.remote) continue;
        const { outstanding, queued } = known.route.balancer;
        this.#source.demand(service, 'gateway', { outstanding, queued });
      }
      this.#busy.clear();
    }, DEMAND_MS).unref();
  }
}
