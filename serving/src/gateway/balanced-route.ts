import { readFile } from 'node:fs/promises';
import {
  Balancer,
  balancerSettings,
  type Endpoint,
  type Grant,
  type InstanceLoad,
  PilothouseError,
  type Routing,
  type ServiceApi,
  toSeconds,
} from '@pilothouse/sdk/shared';
import { neverArrived } from '../adapters/index.js';
import type { Target } from '../types.js';
import type { Place, Routable, Seeking } from './directory.js';

/** Milliseconds in which a server must have said which models it has. */
const MODELS_TIMEOUT = 10_000;

/** What requests to a service need to know of it. */
export interface RouteDescription {
  readonly id: string;
  readonly name: string;
  readonly api: ServiceApi;
  readonly model: string | null;
  readonly routing: Routing & { readonly concurrency: number };
}

/** An instance that takes requests. */
export interface RouteInstance {
  readonly id: string;
  readonly index: number;
  readonly endpoint: Endpoint;
  /** Milliseconds of its last health round trip. */
  readonly roundTrip: number;
}

/** What a route needs of its surroundings. */
export interface RouteOptions {
  /** Names of the models that a server lists; asked once per address where the service names none. */
  readonly models: (target: Target, api: ServiceApi, signal: AbortSignal) => Promise<readonly string[]>;
  /** Outstanding or queued may have changed. */
  readonly onChange?: (() => void) | undefined;
  /** What to add to "waits for NAME to be ready". */
  readonly whyNone?: (() => string) | undefined;
}

/** The way to one service whose instances are told by address and file of the key. */
export class BalancedRoute implements Routable {
  readonly balancer: Balancer;
  readonly #options: RouteOptions;
  /** Of each instance, with what it was made of: another address or key file makes it anew. */
  readonly #targets = new Map<string, { readonly of: string; readonly found: Promise<Target> }>();
  #description: RouteDescription;
  #instances: ReadonlyMap<string, RouteInstance> = new Map();

  constructor(description: RouteDescription, options: RouteOptions) {
    this.#description = description;
    this.#options = options;
    this.balancer = new Balancer(balancerSettings(description.routing), {
      name: description.name,
      ids: { service: description.id },
      onChange: options.onChange,
      whyNone: options.whyNone,
    });
  }

  get id(): string {
    return this.#description.id;
  }

  get name(): string {
    return this.#description.name;
  }

  get api(): ServiceApi {
    return this.#description.api;
  }

  get model(): string | null {
    return this.#description.model;
  }

  get attemptTimeout(): number | null {
    return milliseconds(this.#description.routing.attemptTimeout);
  }

  get hedgeAfter(): number | null {
    return milliseconds(this.#description.routing.hedgeAfter);
  }

  get retries(): number {
    return this.#description.routing.retries;
  }

  /** It is described anew. */
  describe(description: RouteDescription): void {
    this.#description = description;
    this.balancer.configure(balancerSettings(description.routing));
  }

  /** These take requests now. */
  update(instances: readonly RouteInstance[]): void {
    this.#instances = new Map(instances.map((instance) => [instance.id, instance]));
    for (const id of this.#targets.keys()) if (!this.#instances.has(id)) this.#targets.delete(id);
    this.balancer.update(instances.map(({ id, index, endpoint }) => ({ id, index, incarnation: endpoint.url })));
  }

  /** It is no more: whoever waits, or asks later, is told so. */
  stop(): void {
    this.balancer.end(
      new PilothouseError('SERVICE_STOPPED', `the service ${this.name} has ended`, {
        hint: 'Start it again.',
        ids: { service: this.id },
      }),
    );
  }

  async acquire(seeking: Seeking): Promise<Place> {
    const grant = await this.balancer.acquire(seeking);
    const instance = this.#instances.get(grant.candidate.id);
    try {
      if (instance === undefined) throw gone(this.name, grant);
      return placeOf(grant, instance, await this.#target(instance));
    } catch (error) {
      // The rest of the request knows how to go on: this instance cannot be asked.
      grant.failed(error instanceof Error ? error.message : String(error), true);
      const tried = new Set([...(seeking.tried ?? []), grant.candidate.id]);
      if (seeking.instance !== undefined || !this.hasOther(tried)) throw error;
      return await this.acquire({ ...seeking, tried });
    }
  }

  hasOther(tried: ReadonlySet<string>): boolean {
    return this.balancer.hasOther(tried);
  }

  /** What is known of the work of each instance. */
  get loads(): Record<string, InstanceLoad> {
    const loads: Record<string, InstanceLoad> = {};
    for (const id of this.#instances.keys()) {
      const load = this.balancer.loadOf(id);
      if (load !== null) loads[id] = load;
    }
    return loads;
  }

  #target(instance: RouteInstance): Promise<Target> {
    const { url, keyFile } = instance.endpoint;
    const of = `${url} ${keyFile}`;
    const known = this.#targets.get(instance.id);
    if (known?.of === of) return known.found;
    const found = this.#find(instance);
    this.#targets.set(instance.id, { of, found });
    // The next request looks again.
    found.catch(() => this.#targets.delete(instance.id));
    return found;
  }

  async #find({ index, endpoint }: RouteInstance): Promise<Target> {
    const { name, api, model } = this.#description;
    const named = `${name} instance ${index}`;
    const key = endpoint.keyFile === null ? null : await readKey(endpoint.keyFile, named);
    const target: Target = { endpoint, key, name: named, model };
    if (model !== null || !LISTS_MODELS.has(api)) return target;
    try {
      const [first] = await this.#options.models(target, api, AbortSignal.timeout(MODELS_TIMEOUT));
      return { ...target, model: first ?? null };
    } catch (error) {
      if (neverArrived(error)) throw error;
      // It lists none, as simple servers do: such a server takes a request by whatever name.
      return target;
    }
  }
}

const LISTS_MODELS: ReadonlySet<ServiceApi> = new Set(['openai', 'ollama']);

function placeOf(grant: Grant, { id, index, roundTrip }: RouteInstance, target: Target): Place {
  return {
    instance: { id, index },
    target,
    roundTrip,
    succeeded: (total) => grant.succeeded(total),
    failed: (why, refused) => grant.failed(why, refused),
    dropped: () => grant.dropped(),
  };
}

function milliseconds(duration: Routing['attemptTimeout']): number | null {
  return duration === undefined ? null : toSeconds(duration) * 1000;
}

function gone(name: string, { candidate }: Grant): PilothouseError {
  return new PilothouseError('SERVICE_NOT_READY', `${name} instance ${candidate.index} has just gone away`, {
    hint: 'Ask again.',
    ids: { instance: candidate.id },
  });
}

async function readKey(file: string, name: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new PilothouseError('CREDENTIAL_NOT_FOUND', `the key of ${name} cannot be read from ${file}`, {
      hint: 'Stop the service and start it again; it then gets a new key.',
      cause,
    });
  }
}
