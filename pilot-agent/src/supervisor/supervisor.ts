import type { Beat, InstanceState, PilothouseError, RemoteService, ServiceSpec } from '@pilothouse/sdk/shared';
import type { NodeContext } from '../node-context.js';
import { type Account, makeAccount } from '../tasks/accounting.js';
import { Dependencies } from '../tasks/dependencies.js';
import { pilotEnded } from '../tasks/task-end.js';
import type { Instance } from './instance.js';
import { Listeners } from './listeners.js';
import { Order } from './order.js';
import { Ports } from './ports.js';
import { Programs } from './program.js';
import { type Readiness, readinessOf, remoteReadiness } from './readiness.js';
import { reportsOf } from './reports.js';
import { roomFor } from './room.js';
import { Service } from './service.js';
import type { Load, LoadSource, ServiceView } from './views.js';

export type { InstanceView, Load, LoadSource, ServiceView } from './views.js';

/** All services of a pilot, with their instances, which start in parallel. */
export class Supervisor {
  readonly #context: NodeContext;
  readonly #services = new Map<string, Service>();
  /** Services of elsewhere that tasks of this pilot name. */
  readonly #remotes = new Map<string, RemoteService>();
  readonly #listeners = new Set<() => void>();
  readonly #accounted = new Set<Instance>();
  readonly #sockets = new Listeners();
  readonly #tools;
  #order: Order;
  #account: (account: Account) => void = () => undefined;
  #gatewayLoad: (instance: string) => number = () => 0;
  #bridgeLoad: Readonly<Record<string, number>> = {};
  #connected: () => boolean = () => false;
  #acked = 0;
  #ended: PilothouseError | undefined;
  /** While what an earlier agent has read is read again, nothing is begun by itself. */
  #caughtUp = false;
  #looking = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Which ready instance the next task gets. */
  #turn = 0;

  constructor(context: NodeContext) {
    this.#context = context;
    for (const { id, output } of context.past.instances.values()) if (output) context.output.remember(id, output);
    const { pilot } = context;
    const shared = { ports: new Ports(), programs: new Programs(), listeners: this.#sockets, crowd: { starting: 0 } };
    this.#tools = { pilot, context, ...shared };
    this.#order = this.#orderBy(new Dependencies(() => undefined));
  }

  /** Where tasks are known that services come after. */
  after(tasks: Pick<Dependencies, 'check' | 'await'>): void {
    this.#order = this.#orderBy(tasks);
  }

  /** Calls back soon after an instance has changed its state. @returns ends that */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A service of elsewhere is there, or has changed: what waits for it may start. */
  remote(service: RemoteService): void {
    this.#remotes.set(service.id, service);
    setImmediate(() => {
      for (const listener of this.#listeners) listener();
    });
  }

  /** Where the account of each instance goes that has ended. */
  accountTo(account: (account: Account) => void): void {
    this.#account = account;
  }

  /** How many requests the pilot's own router has under way at an instance. */
  loadOf(outstanding: (instance: string) => number): void {
    this.#gatewayLoad = outstanding;
  }

  /** Whether a bridge is there that sends requests and hears of drains. */
  connection(connected: () => boolean): void {
    this.#connected = connected;
  }

  services(): readonly ServiceView[] {
    return [...this.#services.values()].map(({ view }) => view);
  }

  /** @param idOrName - of several with one name the last that has not ended */
  service(idOrName: string): ServiceView | undefined {
    return this.#find(idOrName)?.view;
  }

  /** What beats say of the instances. */
  get reports(): Pick<Beat, 'probes' | 'roles' | 'loading'> {
    return reportsOf(this.#instances());
  }

  /** Whether this instance is here and has not ended. */
  has(instance: string): boolean {
    return this.#instances().some(({ id, over }) => id === instance && !over);
  }

  /** How many instances run. */
  get running(): number {
    return this.#instances().filter(({ state }) => RUNNING.has(state)).length;
  }

  /** How many wait for resources. */
  get waiting(): number {
    return this.#instances().filter(({ state }) => state === 'WAITING' || state === 'SCHEDULING').length;
  }

  /** How many have not ended. */
  get live(): number {
    return this.#instances().filter(({ over }) => !over).length;
  }

  /** Whether a batch or a task keeps one. */
  get held(): boolean {
    return [...this.#services.values()].some(({ held }) => held);
  }

  /** Resolves when no batch and no task keeps a service any more. */
  unheld(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.held) return;
        forget();
        resolve();
      };
      const forget = this.onChange(look);
      look();
    });
  }

  /** Takes a service from the spool, once. */
  submit(spec: ServiceSpec): void {
    if (this.#services.has(spec.id)) return;
    const service = new Service(
      {
        tools: this.#tools,
        past: this.#context.past,
        gateOf: (one) => this.#order.gateOf(one),
        roomFor: (one) => roomFor(one, this.#context.pilot, this.#services.values()),
        outstanding: (instance) => this.#gatewayLoad(instance) + (this.#bridgeLoad[instance] ?? 0),
        senders: (seq) =>
          this.#connected() ? { told: this.#acked >= seq, quiet: FAR_MS } : { told: true, quiet: NEAR_MS },
        changed: (one, instance) => this.#changed(one, instance),
      },
      spec,
    );
    this.#services.set(spec.id, service);
    service.begin(this.#ended);
    this.#lookSoon();
  }

  /** Everything that was there at the start has been read. */
  caughtUp(): void {
    this.#caughtUp = true;
    this.#lookSoon();
  }

  stop(id: string): void {
    this.#services.get(id)?.stop();
    this.#lookSoon();
  }

  /** @param order - number of the spool record; what was carried out before is not carried out again */
  scale(order: number, at: string, id: string, min: number, max: number): void {
    this.#services.get(id)?.scale(order, Date.parse(at), min, max);
    this.#lookSoon();
  }

  drain(order: number, id: string, instance?: string): void {
    this.#services.get(id)?.drain(order, instance);
    this.#lookSoon();
  }

  restart(order: number, id: string, instance?: string): void {
    this.#services.get(id)?.restart(order, instance);
    this.#lookSoon();
  }

  /** Keeps a service alive for a batch or a task. @returns takes that back */
  hold(id: string, why: string): () => void {
    const release = this.#services.get(id)?.hold(why);
    this.#lookSoon();
    return () => {
      release?.();
      this.#lookSoon();
    };
  }

  /** What somebody who passes requests to a service has to do. */
  demand(id: string, source: LoadSource, load: Load): void {
    this.#services.get(id)?.demand(source, load);
    this.#lookSoon();
  }

  /** What the bridge has to do, by service, and what it has under way, by instance. */
  demanded(services: Readonly<Record<string, Load>>, instances: Readonly<Record<string, number>> = {}): void {
    this.#bridgeLoad = instances;
    for (const [id, load] of Object.entries(services)) this.#services.get(id)?.demand('bridge', load);
    this.#lookSoon();
  }

  /** Stops all services, and those that still come; resolves when no instance is left. */
  endAll(why: string): Promise<void> {
    const ended = pilotEnded(this.#context.pilot.id, why);
    this.#ended = ended;
    for (const service of this.#services.values()) service.stop(ended);
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.live > 0) return;
        this.#close();
        resolve();
      };
      this.onChange(look);
      look();
    });
  }

  /** Writes down that nobody knows how what ran has ended. */
  loseAll(): void {
    for (const service of this.#services.values()) service.lose();
    this.#close();
  }

  /** The bridge has made everything up to this journal record its own. */
  published(seq: number): void {
    this.#acked = Math.max(this.#acked, seq);
    for (const instance of this.#instances()) instance.published(seq);
  }

  /** Looks at these instances now; resolves when all have answered or failed to. */
  async probeNow(ids: readonly string[]): Promise<void> {
    const wanted = this.#instances().filter(({ id }) => ids.includes(id));
    await Promise.all(wanted.map((instance) => instance.probeNow()));
  }

  /** Whether a task that names this service may start, and where the service then is. */
  readiness(id: string): Readiness {
    const service = this.#services.get(id);
    if (service === undefined) return remoteReadiness(id, this.#remotes.get(id));
    this.#turn += 1;
    return readinessOf(service, this.#turn);
  }

  #orderBy(tasks: Pick<Dependencies, 'check' | 'await'>): Order {
    return new Order({
      services: (idOrName) => this.#find(idOrName),
      all: () => this.#services.values(),
      tasks,
      changed: () => this.#lookSoon(),
    });
  }

  #find(idOrName: string): Service | undefined {
    const byId = this.#services.get(idOrName);
    if (byId) return byId;
    const named = [...this.#services.values()].filter(({ spec }) => spec.name === idOrName);
    return named.findLast(({ over }) => !over) ?? named.at(-1);
  }

  #instances(): Instance[] {
    return [...this.#services.values()].flatMap(({ instances }) => instances);
  }

  #changed({ spec }: Service, instance: Instance | undefined): void {
    if (instance?.over && !this.#accounted.has(instance)) {
      this.#accounted.add(instance);
      this.#account(accountOfInstance(spec, instance));
    }
    this.#lookSoon();
  }

  /** What happens in one turn of the loop is looked at together: six hundred instances may change at once. */
  #lookSoon(): void {
    if (this.#looking) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      this.#look();
      for (const listener of [...this.#listeners]) listener();
    });
  }

  #look(): void {
    if (!this.#caughtUp || this.#closed) return;
    clearTimeout(this.#timer);
    if (!this.#connected()) this.#forgetBridge();
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const service of this.#services.values()) next = Math.min(next, service.look(now) ?? next);
    if (Number.isFinite(next)) this.#timer = setTimeout(() => this.#look(), next);
  }

  /** What a bridge had to do that is gone, nobody has to do any more. */
  #forgetBridge(): void {
    this.#bridgeLoad = {};
    for (const service of this.#services.values()) service.demand('bridge', NOTHING);
  }

  #close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#sockets.close();
  }
}

/** How long a request may be on its way: from the bridge, and from the router of the pilot. */
const FAR_MS = 1000;
const NEAR_MS = 100;

const NOTHING: Load = { outstanding: 0, queued: 0 };

const RUNNING: ReadonlySet<InstanceState> = new Set(['INITIALIZING', 'READY', 'UNHEALTHY', 'STOPPING']);

function accountOfInstance({ name, cores, gpus }: ServiceSpec, { id, state, attempt, used }: Instance): Account {
  return makeAccount(
    { id, name, set: null, kind: 'instance', state, attempt, cores, gpus },
    used,
    new Date().toISOString(),
  );
}
