import { type InstanceLoad, type ServiceRecord, type ServiceStatistics, serviceStates } from '@pilothouse/sdk/internal';
import type { Directory, Routable } from '@pilothouse/serving';
import type { AgentLink } from '../link/agent-link.js';
import type { Picture } from '../picture/picture.js';
import { type RouteContext, ServiceRoute } from './service-route.js';
import { Throttle } from './throttle.js';

/** Milliseconds between two updates of the load that people and pilots see. */
const LOAD_INTERVAL = 250;
/** Milliseconds until it is told again: rates fall by themselves, and an agent may not have heard. */
const AGAIN_INTERVAL = 1_000;

export interface DirectoryContext extends Omit<RouteContext, 'onChange'> {
  readonly picture: Picture;
  readonly link: Pick<AgentLink, 'send'>;
}

/** All services of the user, over all pilots and attached ones, as requests are sent to them. */
export class ServiceDirectory implements Directory {
  readonly #context: DirectoryContext;
  readonly #routes = new Map<string, ServiceRoute>();
  readonly #byName = new Map<string, string>();
  readonly #changed = new Set<string>();
  readonly #shown: Throttle<string>;
  readonly #again: Throttle<string>;
  readonly #unsubscribe: () => void;

  constructor(context: DirectoryContext) {
    this.#context = context;
    const { picture } = context;
    this.#shown = new Throttle(LOAD_INTERVAL, (ids) => this.#show(ids));
    this.#again = new Throttle(AGAIN_INTERVAL, (ids) => this.#show(ids));
    for (const service of picture.list('service')) {
      this.#observe(service);
      // What an earlier bridge was answering ended with it.
      if (service.load.outstanding + service.load.queued > 0) this.#shown.mark(service.id);
    }
    this.#unsubscribe = picture.onChange(({ kind, id }) => {
      if (kind !== 'service') return;
      // Many instances change in one go; they are looked at once.
      if (this.#changed.size === 0) queueMicrotask(() => this.#look());
      this.#changed.add(id);
    });
  }

  close(): void {
    this.#unsubscribe();
    this.#shown.close();
    this.#again.close();
  }

  find(name: string): ServiceRoute | undefined {
    this.#look();
    const { picture } = this.#context;
    const id = this.#byName.get(name) ?? name;
    const route = this.#routes.get(id);
    if (route !== undefined) return route;
    // One that has ended: it says so to who asks, which helps more than "not found".
    const service = picture.get('service', id);
    return service === undefined
      ? undefined
      : new ServiceRoute({ ...this.#context, onChange: () => undefined }, service);
  }

  list(): readonly Routable[] {
    this.#look();
    return [...this.#routes.values()];
  }

  /** Keys have changed: the next requests look them up. */
  forgetTargets(): void {
    for (const route of this.#routes.values()) route.forgetTargets();
  }

  /** Requests over the last time. */
  statistics(id: string, step: number, buckets: number): ServiceStatistics {
    return this.find(id)?.statistics(step, buckets) ?? { step, buckets: [] };
  }

  /** What the own gateway of a pilot has under way, by instance. */
  heard(pilot: string, loads: Readonly<Record<string, InstanceLoad>>): void {
    for (const id of this.#context.picture.servicesOn(pilot)) {
      const route = this.#routes.get(id);
      if (route === undefined) continue;
      const own = route.instances.flatMap((instance) => {
        const load = loads[instance];
        return load === undefined ? [] : [[instance, load] as const];
      });
      route.heard(Object.fromEntries(own));
      this.#shown.mark(id);
    }
  }

  #look(): void {
    if (this.#changed.size === 0) return;
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const id of changed) {
      const service = this.#context.picture.get('service', id);
      if (service !== undefined) this.#observe(service);
      else this.#forget(id);
    }
  }

  #observe(service: ServiceRecord): void {
    const { id, name, state } = service;
    const known = this.#routes.get(id);
    if (known !== undefined) known.observe(service);
    if (serviceStates.isFinal(state)) {
      if (known === undefined) return;
      this.#routes.delete(id);
      if (this.#byName.get(name) === id) this.#byName.delete(name);
      return;
    }
    if (known === undefined) {
      this.#routes.set(id, new ServiceRoute({ ...this.#context, onChange: (one) => this.#shown.mark(one) }, service));
    }
    this.#byName.set(name, id);
  }

  #forget(id: string): void {
    const route = this.#routes.get(id);
    if (route === undefined) return;
    route.drop();
    this.#routes.delete(id);
    if (this.#byName.get(route.name) === id) this.#byName.delete(route.name);
  }

  /** Tells people, by the picture, and the pilots, which scale by it. */
  #show(ids: ReadonlySet<string>): void {
    const { picture, link } = this.#context;
    const demands = new Map<string, { services: Record<string, Demand>; instances: Record<string, number> }>();
    for (const id of ids) {
      const route = this.#routes.get(id);
      if (route === undefined) {
        picture.update('service', id, ({ load }) =>
          load.outstanding + load.queued === 0 ? null : { load: { ...load, outstanding: 0, queued: 0 } },
        );
        continue;
      }
      const { load, pilot } = route;
      picture.update('service', id, (service) => changes(service, route, load));
      if (load.outstanding + load.queued > 0 || load.perSecond > 0 || load.failed > 0) this.#again.mark(id);
      if (pilot === null) continue;
      const { outstanding, queued, instances } = route.demand;
      const told = demands.get(pilot) ?? { services: {}, instances: {} };
      told.services[id] = { outstanding, queued };
      Object.assign(told.instances, instances);
      demands.set(pilot, told);
    }
    for (const [pilot, demand] of demands) link.send(pilot, { type: 'load', ...demand });
  }
}

interface Demand {
  outstanding: number;
  queued: number;
}

function changes(
  service: ServiceRecord,
  route: ServiceRoute,
  load: ServiceRecord['load'],
): Partial<ServiceRecord> | null {
  const instances = service.instances.map((instance) => {
    const now = route.loadOf(instance.id);
    return JSON.stringify(now) === JSON.stringify(instance.load) ? instance : { ...instance, load: now };
  });
  const same = instances.every((instance, index) => instance === service.instances[index]);
  if (same && JSON.stringify(load) === JSON.stringify(service.load)) return null;
  return same ? { load } : { load, instances };
}
