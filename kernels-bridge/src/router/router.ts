import {
  type InstanceRecord,
  PilothouseError,
  type Reason,
  type ServiceRecord,
  serviceStates,
} from '@pilothouse/sdk/internal';
import type { Clock } from '../clock.js';
import type { Picture } from '../picture/picture.js';
import { InstanceLoad } from './instance-load.js';
import { median, quantile } from './statistics.js';
import { Throttle } from './throttle.js';

/** Requests that may wait per service. */
const MAX_QUEUE = 256;
/** Milliseconds between two updates of the load that people see. */
const LOAD_INTERVAL = 250;
/** How many totals a service's record shows. */
const RECENT = 20;

/** The right to send one request to one instance; given back exactly once. */
export interface Lease {
  readonly service: ServiceRecord;
  readonly instance: InstanceRecord;
  /** Median health round trip in milliseconds. */
  readonly roundTrip: number;
  /** The request ended; `total` in milliseconds where it succeeded. */
  release(total?: number): void;
  /** Nothing could be connected there: the instance is left out for a while. */
  refuse(): void;
}

/** What a request says while it waits. */
export interface Waiting {
  readonly signal: AbortSignal;
  /** Called when the reason for waiting changes. */
  readonly onWait: (reason: Omit<Reason, 'since'>) => void;
}

interface Waiter extends Waiting {
  readonly tried: ReadonlySet<string>;
  readonly resolve: (lease: Lease) => void;
  readonly reject: (error: unknown) => void;
}

interface ServiceLoad {
  readonly instances: Map<string, InstanceLoad>;
  readonly waiters: Set<Waiter>;
  readonly totals: number[];
}

/**
 * Decides which instance answers a request: the one with the fewest outstanding requests among those that are READY and
 * could be reached of late. What finds no place waits in order of arrival, and is told why.
 */
export class Router {
  readonly #picture: Picture;
  readonly #clock: Clock;
  readonly #limit: (service: ServiceRecord) => number;
  readonly #services = new Map<string, ServiceLoad>();
  readonly #shown: Throttle<string>;
  readonly #unsubscribe: () => void;
  #turn = 0;

  /** @param limit - requests that one instance of a service takes at a time */
  constructor(picture: Picture, clock: Clock, limit: (service: ServiceRecord) => number) {
    this.#picture = picture;
    this.#clock = clock;
    this.#limit = limit;
    this.#shown = new Throttle(LOAD_INTERVAL, (ids) => this.#show(ids));
    for (const service of picture.list('service')) {
      this.#observe(service);
      // What an earlier bridge was answering ended with it.
      if (service.load.outstanding + service.load.queued > 0) this.#shown.mark(service.id);
    }
    this.#unsubscribe = picture.onChange(({ kind, id }) => {
      if (kind !== 'service') return;
      const service = picture.get('service', id);
      if (service === undefined) this.#drop(id);
      else this.#observe(service);
    });
  }

  close(): void {
    this.#unsubscribe();
  }

  /**
   * Waits for a place at an instance of a service.
   *
   * @param tried - instances to leave out, since this request was refused there
   * @throws PilothouseError SERVICE_NOT_FOUND, SERVICE_STOPPED, SERVICE_FAILED, QUEUE_FULL; the reason of the signal
   */
  acquire(id: string, waiting: Waiting, tried: ReadonlySet<string> = new Set()): Promise<Lease> {
    waiting.signal.throwIfAborted();
    const service = this.#picture.get('service', id);
    if (service === undefined) return Promise.reject(notFound(id));
    const load = this.#load(id);
    if (load.waiters.size >= MAX_QUEUE) {
      return Promise.reject(
        new PilothouseError('QUEUE_FULL', `${MAX_QUEUE} requests wait for ${service.name} already`, {
          hint: 'Ask again later, or start the service with more instances.',
          ids: { service: id },
        }),
      );
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        load.waiters.delete(waiter);
        this.#shown.mark(id);
        reject(waiting.signal.reason);
      };
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          waiting.signal.removeEventListener('abort', leave);
          load.waiters.delete(waiter);
          settle(value);
        };
      const waiter: Waiter = { ...waiting, tried, resolve: done(resolve), reject: done(reject) };
      waiting.signal.addEventListener('abort', leave, { once: true });
      load.waiters.add(waiter);
      this.#pump(service);
    });
  }

  /** Whether an instance is READY that has not been tried. */
  hasOther(id: string, tried: ReadonlySet<string>): boolean {
    const service = this.#picture.get('service', id);
    return service?.instances.some((instance) => instance.state === 'READY' && !tried.has(instance.id)) ?? false;
  }

  #load(id: string): ServiceLoad {
    let load = this.#services.get(id);
    if (load === undefined) {
      const totals = this.#picture.get('service', id)?.load.recent ?? [];
      load = { instances: new Map(), waiters: new Set(), totals: [...totals] };
      this.#services.set(id, load);
    }
    return load;
  }

  #observe(service: ServiceRecord): void {
    const load = this.#load(service.id);
    for (const instance of service.instances) this.#instance(load, instance.id).observe(instance);
    if (load.waiters.size > 0) this.#pump(service);
    else if (serviceStates.isFinal(service.state)) this.#services.delete(service.id);
  }

  #drop(id: string): void {
    for (const waiter of this.#services.get(id)?.waiters ?? []) waiter.reject(notFound(id));
    this.#services.delete(id);
  }

  #instance(load: ServiceLoad, id: string): InstanceLoad {
    let instance = load.instances.get(id);
    if (instance === undefined) {
      instance = new InstanceLoad();
      load.instances.set(id, instance);
    }
    return instance;
  }

  /** Gives places to those who wait, in order, and tells the others why they still do. */
  #pump(service: ServiceRecord): void {
    const load = this.#load(service.id);
    if (serviceStates.isFinal(service.state) || service.state === 'STOPPING') {
      for (const waiter of [...load.waiters]) waiter.reject(ended(service));
      return;
    }
    let ahead = 0;
    for (const waiter of [...load.waiters]) {
      const instance = this.#choose(service, load, waiter.tried);
      if (instance !== undefined) waiter.resolve(this.#lease(service, load, instance));
      else {
        waiter.onWait(this.#reason(service, load, ahead));
        ahead += 1;
      }
    }
    this.#shown.mark(service.id);
  }

  #choose(service: ServiceRecord, load: ServiceLoad, tried: ReadonlySet<string>): InstanceRecord | undefined {
    const limit = this.#limit(service);
    const now = this.#clock.monotonic();
    const free = service.instances.filter(
      ({ id, state, endpoint }) =>
        state === 'READY' && endpoint !== null && !tried.has(id) && this.#instance(load, id).outstanding < limit,
    );
    const reachable = free.filter(({ id }) => !this.#instance(load, id).isEjected(now));
    // All left out means that leaving out helps nobody: the request finds out for itself.
    const candidates = reachable.length > 0 ? reachable : free;
    return candidates.reduce<InstanceRecord | undefined>((best, candidate) => {
      if (best === undefined) return candidate;
      const [a, b] = [this.#instance(load, best.id), this.#instance(load, candidate.id)];
      const order = a.outstanding - b.outstanding || a.lastTurn - b.lastTurn;
      return order <= 0 ? best : candidate;
    }, undefined);
  }

  #lease(service: ServiceRecord, load: ServiceLoad, instance: InstanceRecord): Lease {
    const known = this.#instance(load, instance.id);
    known.outstanding += 1;
    this.#turn += 1;
    known.lastTurn = this.#turn;
    let held = true;
    const giveBack = (note: () => void): void => {
      if (!held) return;
      held = false;
      known.outstanding -= 1;
      note();
      this.#shown.mark(service.id);
      const now = this.#picture.get('service', service.id);
      if (now !== undefined && load.waiters.size > 0) this.#pump(now);
    };
    return {
      service,
      instance,
      roundTrip: known.roundTrip,
      release: (total) =>
        giveBack(() => {
          if (total === undefined) return;
          known.succeeded();
          load.totals.push(Math.round(total * 10) / 10);
          if (load.totals.length > RECENT) load.totals.shift();
        }),
      refuse: () => giveBack(() => known.refused(this.#clock.monotonic())),
    };
  }

  #reason(service: ServiceRecord, load: ServiceLoad, ahead: number): Omit<Reason, 'since'> {
    const ready = service.instances.filter(({ state }) => state === 'READY');
    if (ready.length === 0) {
      const why = service.reason === null ? '' : `: ${service.reason.text}`;
      return { code: 'WAITS_FOR_SERVICE', text: `waits for ${service.name} to be ready${why}` };
    }
    const places = ready.length * this.#limit(service);
    const taken = ready.reduce((sum, { id }) => sum + this.#instance(load, id).outstanding, 0);
    const queue = ahead === 0 ? '' : `, ${ahead} before this one`;
    return { code: 'WAITS_FOR_PLACE', text: `waits for ${service.name}; ${taken} of ${places} places taken${queue}` };
  }

  #show(ids: ReadonlySet<string>): void {
    for (const id of ids) {
      const load = this.#services.get(id);
      if (load === undefined) continue;
      let outstanding = 0;
      for (const instance of load.instances.values()) outstanding += instance.outstanding;
      const shown = {
        outstanding,
        queued: load.waiters.size,
        p50: median(load.totals),
        p99: quantile(load.totals, 0.99),
        perSecond: 0,
        failed: 0,
        recent: [...load.totals],
      };
      this.#picture.update('service', id, (service) => (sameLoad(service.load, shown) ? null : { load: shown }));
    }
  }
}

function sameLoad(a: ServiceRecord['load'], b: ServiceRecord['load']): boolean {
  return (
    a.outstanding === b.outstanding &&
    a.queued === b.queued &&
    a.p50 === b.p50 &&
    a.recent.length === b.recent.length &&
    a.recent.every((total, index) => total === b.recent[index])
  );
}

function notFound(id: string): PilothouseError {
  return new PilothouseError('SERVICE_NOT_FOUND', `there is no service ${id} any more`, {
    hint: 'Start it again.',
    ids: { service: id },
  });
}

/** Why a service that is no more cannot answer. */
export function ended(service: ServiceRecord): PilothouseError {
  const ids = { service: service.id };
  if (service.state === 'FAILED') {
    const why = service.error === null ? '' : `: ${service.error.message}`;
    return new PilothouseError('SERVICE_FAILED', `the service ${service.name} failed${why}`, {
      hint: service.error?.hint ?? 'See its log, then start it again.',
      ids,
      evidence: service.error?.evidence,
    });
  }
  const doing = service.state === 'STOPPING' ? 'is being stopped' : 'was stopped';
  return new PilothouseError('SERVICE_STOPPED', `the service ${service.name} ${doing}`, {
    hint: 'Start it again.',
    ids,
  });
}
