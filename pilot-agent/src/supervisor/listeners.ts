import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { open, readdir, readFile, readlink } from 'node:fs/promises';

/** One socket that listens, in a table of /proc/net: port (hexadecimal) and inode. */
const LISTENING = /:([0-9A-F]{4}) [0-9A-F]+:0000 0A \S+ \S+ \S+ +\d+ +\d+ (\d+) /g;
/** A socket that does not listen: it is in another state. */
const OTHER = /: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} (?!0A)[0-9A-F]{2} /;
/** The system gives a page at a time. */
const PIECE = 16 << 10;
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];

/** While somebody waits, the tables are read that often; less often where reading them takes long. */
const SHORTEST_MS = 10;
const LONGEST_MS = 100;
/** At most so much of the time goes into reading them. */
const SHARE = 0.15;

/** For so long a table counts that does not name a port. */
const FRESH_MS = 200;

/** Whose process listens on a port. `unknown`: nobody can tell, or nobody listens. */
export type Owner = 'own' | 'foreign' | 'unknown';

/**
 * Who listens on this node. However many instances start, one look at the system's table of sockets says which of them
 * listen by now: nothing is asked on a port where nobody would answer.
 */
export class Listeners {
  readonly #waiting = new Map<number, Set<() => void>>();
  #timer: NodeJS.Timeout | undefined;
  #inodes = new Map<number, Set<string>>();
  #readable = true;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #closed = false;

  /** Resolves when something listens on this port, or when the signal says that nobody waits any more. */
  whenListening(port: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        const others = this.#waiting.get(port);
        if (others?.delete(done) && others.size === 0) this.#waiting.delete(port);
        resolve();
      };
      if (signal.aborted || !this.#readable || this.#inodes.has(port)) {
        resolve();
        return;
      }
      signal.addEventListener('abort', done);
      const others = this.#waiting.get(port) ?? new Set();
      this.#waiting.set(port, others.add(done));
      this.#timer ??= setTimeout(() => void this.#look(), 0);
    });
  }

  /**
   * Whose process listens: one of the session (or with the mark) of ours, or a foreign one, which must not be taken for
   * the service and never be shown its key.
   *
   * @param leader - pid of the service's first process, which leads its session
   * @param mark - variable `NAME=value` in the environment of everything that belongs to it
   */
  async ownerOf(port: number, leader: number, mark: string): Promise<Owner> {
    // A socket that it holds now is its own, however old the table is that names the socket.
    const known = this.#inodes.get(port);
    if (known && heldBy(leader, known)) return 'own';
    if (known || performance.now() - this.#readAt > FRESH_MS) await this.#read();
    const inodes = this.#inodes.get(port);
    if (inodes === undefined) return 'unknown';
    // Nearly always it is the first process or a child of it; only else is everybody looked at.
    if (heldBy(leader, inodes)) return 'own';
    for (const pid of await readdir('/proc')) {
      if (/^\d+$/.test(pid) && (await belongs(pid, leader, mark)) && (await holds(pid, inodes))) return 'own';
    }
    return 'foreign';
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const waiting of [...this.#waiting.values()]) for (const done of [...waiting]) done();
  }

  async #look(): Promise<void> {
    const began = performance.now();
    await this.#read();
    for (const [port, waiting] of [...this.#waiting]) {
      if (!this.#readable || this.#inodes.has(port)) for (const done of [...waiting]) done();
    }
    this.#timer = undefined;
    if (this.#waiting.size === 0 || this.#closed) return;
    const pause = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (performance.now() - began) / SHARE));
    this.#timer = setTimeout(() => void this.#look(), pause);
  }

  /** Reads the tables, once for all who ask meanwhile. Not on this thread: with many sockets it takes milliseconds. */
  #read(): Promise<void> {
    this.#reading ??= this.#readTables().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readTables(): Promise<void> {
    const inodes = new Map<number, Set<string>>();
    let readable = false;
    for (const table of TABLES) {
      const text = await listeningPart(table);
      if (text === undefined) continue;
      readable = true;
      for (const [, hex = '', inode = ''] of text.matchAll(LISTENING)) {
        const port = Number.parseInt(hex, 16);
        const known = inodes.get(port);
        if (known) known.add(inode);
        else inodes.set(port, new Set([inode]));
      }
    }
    this.#readable = readable;
    this.#inodes = inodes;
    this.#readAt = performance.now();
  }
}

/**
 * The beginning of a table: sockets that listen come first, and of the others there may be tens of thousands. undefined:
 * there is no such table here.
 */
async function listeningPart(table: string): Promise<string | undefined> {
  let text = '';
  try {
    const file = await open(table);
    try {
      const buffer = Buffer.alloc(PIECE);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, PIECE, null);
        const piece = buffer.toString('latin1', 0, bytesRead);
        text += piece;
        if (bytesRead === 0 || OTHER.test(piece)) return text;
      }
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // no such table here, or the process it is about is gone
  }
}

function* descendants(leader: number): Generator<number> {
  const open = [leader];
  for (let pid = open.shift(); pid !== undefined; pid = open.shift()) {
    yield pid;
    const children = contentOf(`/proc/${pid}/task/${pid}/children`) ?? '';
    for (const child of children.split(' ')) if (child !== '') open.push(Number(child));
  }
}

function heldBy(leader: number, inodes: ReadonlySet<string>): boolean {
  for (const pid of descendants(leader)) if (holdsNow(pid, inodes)) return true;
  return false;
}

function holdsNow(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => isOneOf(inodes, linkOf(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false; // gone in the meantime: it holds nothing
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed in the meantime
  }
}

function isOneOf(inodes: ReadonlySet<string>, target: string): boolean {
  return target.startsWith('socket:[') && inodes.has(target.slice(8, -1));
}

async function belongs(pid: string, session: number, mark: string): Promise<boolean> {
  // A process may go at any moment while it is looked at; then it holds no port either.
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  if (Number(fields[3]) === session) return true;
  const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environ.split('\0').includes(mark);
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
    if (isOneOf(inodes, await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''))) return true;
  }
  return false;
}
