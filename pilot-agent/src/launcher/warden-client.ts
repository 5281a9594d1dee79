import { connect, type Socket } from 'node:net';
import { log } from '../log.js';
import { type EndSignal, exitOf, type SpawnOrder, type SpawnWatcher } from './spawn.js';
import { type Seen, WARDEN_PROTOCOL, type WardenMessage, wardenMessageSchema } from './warden-messages.js';

export type * from './spawn.js';

interface Watched {
  readonly watcher: SpawnWatcher;
  /** To be sent again when the warden does not know it; absent for what was found running. */
  readonly order: SpawnOrder | undefined;
  started: boolean;
  ending: { grace: number; signal: EndSignal } | undefined;
}

/** Environments that the warden is asked to remember at a time. */
const ENVIRONMENTS = 64;
const RECONNECT_MS = 50;
/** How long it may be away before it is started again: one of the pair restores the other within a moment. */
const RESTORE_MS = 1000;

/** How to deal with a warden. */
export interface WardenOptions {
  /** Bytes that are kept of the beginning and of the end of an output that grows too long. */
  readonly keep?: readonly [number, number];
  /** Starts another warden; called when there seems to be none, from time to time until one answers. */
  readonly restore?: () => void;
}

/**
 * The agent's side of the warden's socket. Connects again for as long as the agent lives; what was asked for is asked
 * again, which is safe, as the warden knows each id.
 */
export class WardenClient {
  readonly #path: string;
  readonly #watched = new Map<string, Watched>();
  #socket: Socket | undefined;
  #incoming = '';
  /** Messages of this turn of the loop; orders and acknowledgements among them are put together. */
  #outgoing: string[] = [];
  #orders: string[] = [];
  #acks: string[] = [];
  #sending = false;
  /** Environments that the warden knows by a key, oldest first. */
  #environments = new Map<SpawnOrder['env'], number>();
  #lastKey = 0;
  readonly #options: WardenOptions;
  #restoring: NodeJS.Timeout | undefined;
  #sweeps: { grace: number; done: () => void }[] = [];
  readonly #found = new Map<string, Seen>();
  #ready: (() => void) | undefined;
  #goneSince: number | undefined;
  #closed = false;

  private constructor(path: string, options: WardenOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Connects, and resolves when the warden has said what it knows. */
  static async connect(path: string, options: WardenOptions = {}): Promise<WardenClient> {
    const client = new WardenClient(path, options);
    await new Promise<void>((resolve) => {
      client.#ready = resolve;
      client.#open();
    });
    return client;
  }

  /** What the warden knew when it was first reached, by id, with what it has said since of what nobody watches yet. */
  get found(): ReadonlyMap<string, Seen> {
    return this.#found;
  }

  /** Milliseconds (monotonic) since which it cannot be reached; undefined: it can. */
  get goneSince(): number | undefined {
    return this.#goneSince;
  }

  spawn(order: SpawnOrder, watcher: SpawnWatcher): void {
    this.#watched.set(order.id, { watcher, order, started: false, ending: undefined });
    this.#order(order);
  }

  /** Watches what an earlier agent has started. */
  adopt(id: string, watcher: SpawnWatcher): void {
    const watched: Watched = { watcher, order: undefined, started: false, ending: undefined };
    this.#watched.set(id, watched);
    const seen = this.#found.get(id);
    if (seen !== undefined) this.#apply(id, watched, seen);
  }

  /** Ends everything that belongs to these: the signal, and KILL after the grace in seconds. `exited` follows. */
  end(ids: readonly string[], grace: number, signal: EndSignal = 'TERM'): void {
    for (const id of ids) {
      const watched = this.#watched.get(id);
      if (watched) watched.ending = { grace, signal };
    }
    this.#send({ type: 'end', ids, grace, signal });
  }

  /** Lets the warden forget what has ended. */
  acknowledge(ids: readonly string[]): void {
    for (const id of ids) {
      this.#found.delete(id);
      if (this.#socket !== undefined) this.#acks.push(id);
    }
    this.#flushSoon();
  }

  /** Ends everything that carries the pilot's id; resolves when nothing is left. */
  sweep(grace: number): Promise<void> {
    return new Promise((done) => {
      this.#sweeps.push({ grace, done });
      this.#send({ type: 'sweep', grace });
    });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#restoring);
    this.#socket?.destroy();
  }

  /** Without a connection nothing is kept here: `#greeted` asks for what is still open. */
  #send(message: unknown): void {
    if (this.#socket === undefined) return;
    this.#putTogether();
    this.#outgoing.push(JSON.stringify(message));
    this.#flushSoon();
  }

  #order(order: SpawnOrder): void {
    if (this.#socket === undefined) return;
    const { env, own, ...rest } = order;
    const shared = own === undefined ? { env } : { base: this.#keyOf(env), env: own };
    this.#orders.push(JSON.stringify({ ...rest, ...shared }));
    this.#flushSoon();
  }

  /** The key by which the warden knows an environment; it is told of a new one first. */
  #keyOf(env: SpawnOrder['env']): number {
    const known = this.#environments.get(env);
    if (known !== undefined) return known;
    this.#lastKey += 1;
    this.#send({ type: 'env', key: this.#lastKey, env });
    this.#environments.set(env, this.#lastKey);
    const [oldest] = this.#environments;
    if (this.#environments.size > ENVIRONMENTS && oldest !== undefined) {
      this.#environments.delete(oldest[0]);
      this.#send({ type: 'env', key: oldest[1], env: null });
    }
    return this.#lastKey;
  }

  #putTogether(): void {
    if (this.#orders.length > 0) this.#outgoing.push(`{"type":"spawn","orders":[${this.#orders.join(',')}]}`);
    if (this.#acks.length > 0) this.#outgoing.push(JSON.stringify({ type: 'ack', ids: this.#acks }));
    this.#orders = [];
    this.#acks = [];
  }

  #flushSoon(): void {
    if (this.#sending || this.#socket === undefined) return;
    this.#sending = true;
    setImmediate(() => {
      this.#sending = false;
      this.#putTogether();
      const lines = this.#outgoing.splice(0);
      if (lines.length > 0 && this.#socket?.writable) this.#socket.write(`${lines.join('\n')}\n`);
    });
  }

  #open(): void {
    if (this.#closed) return;
    const socket = connect(this.#path);
    socket.setEncoding('utf8');
    this.#incoming = '';
    let failure: Error | undefined;
    socket.on('connect', () => socket.write(`${JSON.stringify({ type: 'hello', keep: this.#options.keep })}\n`));
    socket.on('data', (text: string) => this.#receive(socket, text));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      this.#socket = undefined;
      this.#outgoing = [];
      this.#orders = [];
      this.#acks = [];
      this.#environments.clear();
      if (this.#closed) return;
      if (this.#goneSince === undefined) {
        this.#goneSince = performance.now();
        log('the warden cannot be reached; trying again', failure?.message);
        this.#restoring = setInterval(() => this.#options.restore?.(), RESTORE_MS);
      }
      setTimeout(() => this.#open(), RECONNECT_MS);
    });
  }

  #receive(socket: Socket, text: string): void {
    const lines = (this.#incoming + text).split('\n');
    this.#incoming = lines.pop() ?? '';
    for (const line of lines) this.#handle(socket, wardenMessageSchema.parse(JSON.parse(line)));
  }

  #handle(socket: Socket, message: WardenMessage): void {
    switch (message.type) {
      case 'state':
        if (message.protocol !== WARDEN_PROTOCOL) {
          throw new Error(`the warden speaks version ${message.protocol} of its messages, not ${WARDEN_PROTOCOL}`);
        }
        this.#greeted(socket, new Map(message.spawns.map((seen) => [seen.id, seen])));
        break;
      case 'news':
        for (const seen of message.seen) {
          const watched = this.#watched.get(seen.id);
          if (watched) this.#apply(seen.id, watched, seen);
          else this.#find(seen);
        }
        break;
      case 'swept':
        for (const { done } of this.#sweeps.splice(0)) done();
        break;
      case 'refused':
      case 'error':
        throw new Error(`the warden says: ${message.message}`);
    }
  }

  #greeted(socket: Socket, spawns: ReadonlyMap<string, Seen>): void {
    this.#socket = socket;
    this.#goneSince = undefined;
    clearInterval(this.#restoring);
    if (this.#ready !== undefined) {
      for (const [id, seen] of spawns) this.#found.set(id, seen);
      this.#ready();
      this.#ready = undefined;
      return;
    }
    for (const seen of spawns.values()) this.#find(seen);
    const watchedBefore = new Map(this.#watched);
    for (const [id, watched] of watchedBefore) {
      const seen = spawns.get(id);
      if (seen) this.#apply(id, watched, seen);
      else if (watched.order && !watched.started) this.#order(watched.order);
      else this.#settle(id, () => watched.watcher.lost());
      if (watched.ending !== undefined) this.#send({ type: 'end', ids: [id], ...watched.ending });
    }
    // Whatever else it still keeps was acknowledged while it could not hear it.
    const forgotten = [...spawns.keys()].filter((id) => !watchedBefore.has(id) && !this.#found.has(id));
    if (forgotten.length > 0) this.acknowledge(forgotten);
    for (const { grace } of this.#sweeps) this.#send({ type: 'sweep', grace });
  }

  /** Keeps the latest word on what was found: between the greeting and `adopt` a process may end, and is told once. */
  #find(seen: Seen): void {
    if (this.#found.has(seen.id)) this.#found.set(seen.id, seen);
  }

  #apply(id: string, watched: Watched, seen: Seen): void {
    switch (seen.state) {
      case 'starting':
        break;
      case 'running':
        this.#started(watched, seen.pid);
        break;
      case 'exited':
        this.#started(watched, seen.pid);
        this.#settle(id, () => watched.watcher.exited(seen.code, exitOf(seen)));
        break;
      case 'failed':
        this.#settle(id, () => watched.watcher.failed(seen.error));
        break;
      case 'lost':
        this.#settle(id, () => watched.watcher.lost());
        break;
    }
  }

  #started(watched: Watched, pid: number): void {
    if (watched.started) return;
    watched.started = true;
    watched.watcher.started(pid);
  }

  #settle(id: string, tell: () => void): void {
    if (this.#watched.delete(id)) tell();
  }
}
