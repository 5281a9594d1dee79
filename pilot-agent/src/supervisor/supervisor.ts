import {
  type Endpoint,
  type InstanceState,
  PilothouseError,
  type ProbeResult,
  type ServiceSpec,
} from '@pilothouse/sdk/shared';
import type { NodeContext } from '../node-context.js';
import { type Account, makeAccount } from '../tasks/accounting.js';
import { pilotEnded } from '../tasks/task-end.js';
import { Instance } from './instance.js';

/** Whether a task that names a service may start. */
export type Readiness =
  | { readonly state: 'ready'; readonly endpoint: Endpoint }
  | { readonly state: 'waiting'; readonly text: string }
  | { readonly state: 'failed'; readonly error: PilothouseError };

interface Service {
  readonly spec: ServiceSpec;
  readonly instances: readonly Instance[];
  /** Which ready instance the next task gets. */
  turn: number;
}

/** All services of a pilot, with their instances, which start in parallel. */
export class Supervisor {
  readonly #context: NodeContext;
  readonly #services = new Map<string, Service>();
  readonly #listeners: (() => void)[] = [];
  readonly #accounted = new Set<Instance>();
  #account: (account: Account) => void = () => undefined;
  #ended: PilothouseError | undefined;

  constructor(context: NodeContext) {
    this.#context = context;
    for (const { id, output } of context.past.instances.values()) if (output) context.output.remember(id, output);
  }

  /** Calls back whenever an instance changes its state. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Where the account of each instance goes that has ended. */
  accountTo(account: (account: Account) => void): void {
    this.#account = account;
  }

  /** Latest probe of each live instance. */
  get probes(): Record<string, ProbeResult> {
    const found: Record<string, ProbeResult> = {};
    for (const instance of this.#instances()) if (instance.probe && !instance.over) found[instance.id] = instance.probe;
    return found;
  }

  /** Whether this instance is here and has not ended. */
  has(instance: string): boolean {
    return this.#instances().some(({ id, over }) => id === instance && !over);
  }

  /** How many instances run. */
  get running(): number {
    let count = 0;
    for (const { state } of this.#instances()) if (RUNNING.has(state)) count += 1;
    return count;
  }

  /** How many wait for resources. */
  get waiting(): number {
    return this.#instances().filter(({ state }) => state === 'WAITING' || state === 'SCHEDULING').length;
  }

  /** How many have not ended. */
  get live(): number {
    return this.#instances().filter(({ over }) => !over).length;
  }

  /** Takes a service from the spool, once. */
  submit(spec: ServiceSpec): void {
    if (this.#services.has(spec.id)) return;
    const past = this.#context.past.instances;
    const instances = spec.instances.map(
      ({ id }) => new Instance(this.#context, spec, id, past.get(id), () => this.#changed()),
    );
    this.#services.set(spec.id, { spec, instances, turn: 0 });
    for (const instance of instances) {
      if (this.#ended) instance.stop(this.#ended);
      else instance.begin();
    }
  }

  /** What the bridge has to do, by service. */
  demanded(_services: Readonly<Record<string, { outstanding: number; queued: number }>>): void {}

  stop(id: string): void {
    for (const instance of this.#services.get(id)?.instances ?? []) instance.stop(undefined);
  }

  /** Stops all services, and those that still come; resolves when no instance is left. */
  endAll(why: string): Promise<void> {
    this.#ended = pilotEnded(this.#context.pilot.id, why);
    for (const instance of this.#instances()) instance.stop(this.#ended);
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#instances().every(({ over }) => over)) resolve();
      };
      this.onChange(look);
      look();
    });
  }

  /** Writes down that nobody knows how what ran has ended. */
  loseAll(): void {
    for (const instance of this.#instances()) instance.lose();
  }

  /** The bridge has made everything up to this journal record its own. */
  published(seq: number): void {
    for (const instance of this.#instances()) instance.published(seq);
  }

  /** Probes these instances now; resolves when all have answered or failed to. */
  async probeNow(ids: readonly string[]): Promise<void> {
    const wanted = this.#instances().filter(({ id }) => ids.includes(id));
    await Promise.all(wanted.map((instance) => instance.probeNow()));
  }

  /** Whether a task that names this service may start, and where the service then is. */
  readiness(id: string): Readiness {
    const service = this.#services.get(id);
    if (service === undefined) {
      const error = new PilothouseError('SERVICE_NOT_FOUND', `service ${id} is not on this pilot`, {
        hint: 'Name a service of the same pilot.',
        ids: { service: id },
      });
      return { state: 'failed', error };
    }
    const { spec, instances } = service;
    const ready = instances.filter(({ state }) => state === 'READY');
    const endpoint = ready[service.turn % Math.max(1, ready.length)]?.endpoint;
    if (endpoint) {
      service.turn += 1;
      return { state: 'ready', endpoint };
    }
    if (instances.every(({ over }) => over)) return { state: 'failed', error: isOver(spec, instances) };
    const states = [...new Set(instances.filter(({ over }) => !over).map(({ state }) => state.toLowerCase()))].join(
      ', ',
    );
    return { state: 'waiting', text: `waits for service ${spec.name} (${states})` };
  }

  #instances(): Instance[] {
    return [...this.#services.values()].flatMap(({ instances }) => instances);
  }

  #changed(): void {
    for (const { spec, instances } of this.#services.values()) {
      for (const one of instances) {
        if (!one.over || this.#accounted.has(one)) continue;
        this.#accounted.add(one);
        this.#account(accountOfInstance(spec, one));
      }
    }
    for (const listener of this.#listeners) listener();
  }
}

const RUNNING: ReadonlySet<InstanceState> = new Set(['INITIALIZING', 'READY', 'UNHEALTHY', 'STOPPING']);

function accountOfInstance({ name, cores, gpus }: ServiceSpec, { id, state, attempt, used }: Instance): Account {
  return makeAccount(
    { id, name, set: null, kind: 'instance', state, attempt, cores, gpus },
    used,
    new Date().toISOString(),
  );
}

function isOver({ id, name }: ServiceSpec, instances: readonly Instance[]): PilothouseError {
  const failed = instances.find(({ state }) => state === 'FAILED');
  const ids = { service: id };
  if (failed === undefined) {
    return new PilothouseError('SERVICE_STOPPED', `service ${name} was stopped`, {
      hint: 'Start it again first.',
      ids,
    });
  }
  return new PilothouseError(
    'SERVICE_FAILED',
    `service ${name} failed: ${failed.error?.message ?? 'no instance is left'}`,
    {
      hint: failed.error?.hint ?? 'Start it again first.',
      ids,
      cause: failed.error,
    },
  );
}
