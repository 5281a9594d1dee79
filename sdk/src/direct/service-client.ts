import { PilothouseError } from '../errors/index.js';
import { Balancer, balancerSettings, type Grant } from '../routing/index.js';
import type { Routing } from '../schemas/routing.js';
import type { Endpoint } from '../schemas/service-record.js';
import type { DirectCallOptions, DirectOutcome, DirectRequest } from '../service-definition/direct.js';
import type { Connection } from './connection.js';
import { Connections } from './connections.js';
import { type Target, targetOf } from './target.js';

/** An instance that takes calls now. */
export interface DirectInstance {
  readonly id: string;
  /** 1, 2, 3 … */
  readonly index: number;
  readonly endpoint: Endpoint;
}

/** Of which service, and how its calls find an instance. */
export interface ServiceClientOptions {
  readonly name: string;
  /** Ids for errors: `{ service }`. */
  readonly ids?: Readonly<Record<string, string>> | undefined;
  readonly routing: Routing;
  /** Milliseconds that connecting to an instance may take. */
  readonly connectTimeout?: number | undefined;
}

/** Making one for each call would cost more than the rest of it. */
const NEVER = new AbortController().signal;
/** Calls of one client at one instance. */
const CONCURRENCY = 64;
/** Errors after which another instance may do better, and which say that the call was not handled, or was lost. */
const ELSEWHERE = new Set(['SERVICE_UNREACHABLE', 'SERVICE_NOT_READY', 'QUEUE_FULL', 'AUTHENTICATION_FAILED']);

/**
 * Calls the instances of one service, each call at the less busy of two drawn at random: instances say with each reply how
 * much they have to do, whoever sent it, so that clients which know nothing of each other share the work evenly.
 */
export class ServiceClient {
  readonly #options: ServiceClientOptions;
  readonly #connections: Connections;
  readonly #balancer: Balancer;
  readonly #targets = new Map<string, { readonly endpoint: Endpoint; readonly target: Promise<Target> }>();
  /** Connections that have been let in, by id of the instance. */
  readonly #open = new Map<string, Connection>();
  #instances = new Map<string, DirectInstance>();

  constructor(options: ServiceClientOptions) {
    this.#options = options;
    this.#connections = new Connections({ timeout: options.connectTimeout });
    const { routing, name, ids } = options;
    const settings = balancerSettings({ ...routing, concurrency: routing.concurrency ?? CONCURRENCY });
    // The least busy by what each client knows alone would be the same instance for all of them.
    const policy = settings.policy === 'least-outstanding' ? 'power-of-two' : settings.policy;
    this.#balancer = new Balancer({ ...settings, policy }, { name, ids });
  }

  /** Says which instances take calls now. */
  update(instances: readonly DirectInstance[]): void {
    this.#instances = new Map(instances.map((instance) => [instance.id, instance]));
    // What has moved or started anew is another one.
    for (const [id, { endpoint }] of this.#targets) {
      if (this.#instances.get(id)?.endpoint === endpoint) continue;
      this.#targets.delete(id);
      this.#open.delete(id);
    }
    this.#connections.keep(new Set(instances.map(({ endpoint }) => endpoint.url)));
    this.#balancer.update(
      instances.map(({ id, index, endpoint }) => ({ id, index, incarnation: `${endpoint.url} ${endpoint.serverKey}` })),
    );
  }

  /**
   * Calls a method at one of the instances; at another one where the first cannot be reached or takes nothing, and nothing
   * of its answer has been passed on.
   *
   * @throws PilothouseError what the handler failed with; QUEUE_FULL, SERVICE_UNREACHABLE, STREAM_CUT with the instance;
   *   or the reason of `signal`
   */
  async call(request: DirectRequest, options: DirectCallOptions = {}): Promise<DirectOutcome> {
    const began = performance.now();
    const { signal = NEVER, priority, session, instance } = options;
    const tried = new Set<string>();
    for (;;) {
      const wish = { priority, session, instance, tried };
      const grant = signal.aborted ? undefined : this.#balancer.tryAcquire(wish);
      const place = grant ?? (await this.#balancer.acquire({ ...wish, signal }));
      try {
        return await this.#callAt(place, request, options, began);
      } catch (error) {
        tried.add(place.candidate.id);
        const again = tried.size <= this.#options.routing.retries && this.#balancer.hasOther(tried);
        if (signal.aborted || !again || !(error instanceof PilothouseError) || !ELSEWHERE.has(error.code)) throw error;
      }
    }
  }

  /** Whether an instance can be reached from here: the first that answers will do. */
  async reachable(): Promise<boolean> {
    const attempts = [...this.#instances.keys()].map(async (id) => {
      await this.#connect(id);
    });
    return Promise.any(attempts).then(
      () => true,
      () => false,
    );
  }

  /** Closes its connections; calls under way fail with CLOSED. */
  close(): void {
    this.#connections.close();
    this.#balancer.end(new PilothouseError('CLOSED', `The client of ${this.#options.name} was closed.`));
  }

  async #callAt(
    grant: Grant,
    { method, input, stream }: DirectRequest,
    { signal, onStart, onChunk }: DirectCallOptions,
    began: number,
  ): Promise<DirectOutcome> {
    const { id, index } = grant.candidate;
    try {
      const connection = this.#welcomed(id) ?? (await this.#connect(id));
      onStart?.({ id, index });
      const { value, waited, ran } = await connection.call({ method, input, stream, signal, onChunk });
      const total = performance.now() - began;
      grant.succeeded(total);
      return { value, instance: { id, index }, waited, ran, total };
    } catch (error) {
      this.#giveBack(grant, error);
      throw error;
    }
  }

  #giveBack(grant: Grant, error: unknown): void {
    const code = error instanceof PilothouseError ? error.code : undefined;
    if (code === 'AUTHENTICATION_FAILED') this.#targets.delete(grant.candidate.id);
    // A handler that fails, fails everywhere; what is busy or finishing is not broken.
    if (code !== 'SERVICE_UNREACHABLE' && code !== 'AUTHENTICATION_FAILED' && code !== 'STREAM_CUT') grant.dropped();
    else grant.failed(error instanceof Error ? error.message : String(error), code !== 'STREAM_CUT');
  }

  /** The connection to an instance that can be used at once. */
  #welcomed(id: string): Connection | undefined {
    const open = this.#open.get(id);
    return open?.usable === true ? open : undefined;
  }

  async #connect(id: string): Promise<Connection> {
    const instance = this.#instances.get(id);
    if (instance === undefined) {
      throw new PilothouseError('SERVICE_UNREACHABLE', `An instance of ${this.#options.name} has just gone.`);
    }
    const target = await this.#target(instance);
    const connection = this.#connections.to(target, ({ outstanding }) => this.#balancer.reported(id, outstanding));
    await connection.ready();
    this.#open.set(id, connection);
    return connection;
  }

  #target({ id, index, endpoint }: DirectInstance): Promise<Target> {
    const known = this.#targets.get(id);
    if (known?.endpoint === endpoint) return known.target;
    const { name, ids } = this.#options;
    const target = targetOf(endpoint, { name: `${name} instance ${index}`, ids: { ...ids, instance: id } });
    // Whoever asks gets the error; a promise that is only kept must not end the process.
    target.catch(() => this.#targets.delete(id));
    this.#targets.set(id, { endpoint, target });
    return target;
  }
}
