import { connect, type Socket } from 'node:net';
import { log } from '../log.js';
import { type Seen, type WardenMessage, wardenMessageSchema } from './warden-messages.js';

/** What to start. */
export interface SpawnOrder {
  /** Never used a second time; the warden starts each id at most once. */
  readonly id: string;
  /** Variable `NAME=value` in `env` by which everything that belongs to it is known. */
  readonly mark: string;
  readonly path: string;
  readonly argv: readonly string[];
  /**
   * Variables of the process. One that many orders share should be the same object in all of them: it is then sent
   * once.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Variables of this order alone, on top of `env`. */
  readonly own?: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly cpus: readonly number[] | null;
  /** bytes that all its processes may take together: over it they are killed, and the exit says so; null: no limit */
  readonly memory?: number | null;
}

/** What a process and its descendants have used. */
export interface ProcessUsage {
  /** seconds */
  readonly wall: number;
  /** seconds of CPU time, user and system */
  readonly cpu: number;
  /** bytes; of the largest process, or of all together where memory was watched */
  readonly maxRss: number;
  /** bytes read from and written to storage */
  readonly read: number;
  readonly written: number;
}

/** What a process has written, when everything of it is gone. */
export interface Captured {
  /** bytes in each file */
  readonly stdout: number;
  readonly stderr: number;
  /** The content itself, one character a byte (latin1), when it is short; absent: read the files. */
  readonly text?: { readonly stdout: string; readonly stderr: string };
}

/** How a process ended, beside its code. What an earlier warden has seen may be all that is known. */
export interface SpawnExit {
  readonly usage: ProcessUsage | null;
  /** It was killed because its processes took more memory than the order allowed; both in bytes. */
  readonly oom: { readonly peak: number; readonly limit: number } | null;
  readonly output: Captured | null;
}

/** Why it did not start. */
export interface SpawnFailure {
  readonly errno: number | null;
  readonly message: string;
}

/** With what the ending of a process begins. */
export type EndSignal = 'TERM' | 'INT' | 'USR1' | 'USR2' | 'HUP';

/** Hears what becomes of one spawn: `started` and then `exited`, or one of the others alone. */
export interface SpawnWatcher {
  started(pid: number): void;
  /** Everything that belonged to it is gone. A negative code is minus the number of the signal. */
  exited(code: number, exit: SpawnExit): void;
  failed(failure: SpawnFailure): void;
  /** Nobody can say whether it ran, or how it ended. */
  lost(): void;
}

interface Watched {
  readonly watcher: SpawnWatcher;
  /** To be sent again when the warden does not know it; absent for what was found running. */
  readonly order: SpawnOrder | undefined;
  started: boolean;
  grace: number | undefined;
}

const NOTHING_KNOWN: SpawnExit = { usage: null, oom: null, output: null };
const RECONNECT_MS = 50;

/**
 * The agent's side of the warden's socket. Connects again for as long as the agent lives; what was asked for is asked
 * again, which is safe, as the warden knows each id.
 */
export class WardenClient {
  readonly #path: string;
  readonly #watched = new Map<string, Watched>();
  #socket: Socket | undefined;
  #incoming = '';
  #acked = new Set<string>();
  #sweeps: { grace: number; done: () => void }[] = [];
  readonly #found = new Map<string, Seen>();
  #ready: (() => void) | undefined;
  #goneSince: number | undefined;
  #closed = false;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Connects, and resolves when the warden has said what it knows. */
  static async connect(path: string): Promise<WardenClient> {
    const client = new WardenClient(path);
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
    this.#watched.set(order.id, { watcher, order, started: false, grace: undefined });
    this.#send({ type: 'spawn', ...order });
  }

  /** Watches what an earlier agent has started. */
  adopt(id: string, watcher: SpawnWatcher): void {
    const watched: Watched = { watcher, order: undefined, started: false, grace: undefined };
    this.#watched.set(id, watched);
    const seen = this.#found.get(id);
    if (seen !== undefined) this.#apply(id, watched, seen);
  }

  /** Ends everything that belongs to these: the signal, and KILL after the grace in seconds. `exited` follows. */
  end(ids: readonly string[], grace: number, signal: EndSignal = 'TERM'): void {
    for (const id of ids) {
      const watched = this.#watched.get(id);
      if (watched) watched.grace = grace;
    }
    this.#send({ type: 'end', ids, grace, signal });
  }

  /** Lets the warden forget what has ended. */
  acknowledge(ids: readonly string[]): void {
    for (const id of ids) this.#acked.add(id);
    this.#send({ type: 'ack', ids });
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
    this.#socket?.destroy();
  }

  #send(message: unknown): void {
    // Without a connection nothing is kept here: `#greeted` asks for what is still open.
    if (this.#socket?.writable) this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  #open(): void {
    if (this.#closed) return;
    const socket = connect(this.#path);
    socket.setEncoding('utf8');
    this.#incoming = '';
    let failure: Error | undefined;
    socket.on('connect', () => socket.write('{"type":"hello"}\n'));
    socket.on('data', (text: string) => this.#receive(socket, text));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      this.#socket = undefined;
      if (this.#closed) return;
      if (this.#goneSince === undefined) {
        this.#goneSince = performance.now();
        log('the warden cannot be reached; trying again', failure?.message);
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
        this.#greeted(socket, new Map(message.spawns.map((seen) => [seen.id, seen])));
        break;
      case 'spawned': {
        const watched = this.#watched.get(message.id);
        if (watched) this.#apply(message.id, watched, message);
        else this.#find(message);
        break;
      }
      case 'exit': {
        const { id, code } = message;
        const watched = this.#watched.get(id);
        const found = this.#found.get(id);
        if (watched) this.#exited(id, watched, code);
        else if (found?.state === 'running') this.#find({ id, state: 'exited', pid: found.pid, code });
        break;
      }
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
    if (this.#ready !== undefined) {
      for (const [id, seen] of spawns) this.#found.set(id, seen);
      this.#ready();
      this.#ready = undefined;
      return;
    }
    for (const seen of spawns.values()) this.#find(seen);
    for (const [id, watched] of [...this.#watched]) {
      const seen = spawns.get(id);
      if (seen) this.#apply(id, watched, seen);
      else if (watched.order && !watched.started) this.#send({ type: 'spawn', ...watched.order });
      else this.#settle(id, () => watched.watcher.lost());
      if (watched.grace !== undefined) this.#send({ type: 'end', ids: [id], grace: watched.grace });
    }
    const forgotten = [...this.#acked].filter((id) => spawns.has(id));
    if (forgotten.length > 0) this.#send({ type: 'ack', ids: forgotten });
    this.#acked = new Set(forgotten);
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
        this.#exited(id, watched, seen.code);
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

  #exited(id: string, watched: Watched, code: number): void {
    this.#settle(id, () => watched.watcher.exited(code, NOTHING_KNOWN));
  }

  #settle(id: string, tell: () => void): void {
    if (this.#watched.delete(id)) tell();
  }
}
