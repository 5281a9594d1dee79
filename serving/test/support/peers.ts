import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const REPO = fileURLToPath(new URL('../../../', import.meta.url));
/** Programs and settings of the servers. */
export const PEERS = fileURLToPath(new URL('../peers/', import.meta.url));

/** Python environment with the servers of others (MLServer, radical.utils): made by the set-up of the tests. */
const PEERS_ENV = process.env.PILOTHOUSE_PEERS_ENV ?? join(REPO, '.pilothouse', 'peers');

/** Milliseconds in which a server must be ready, also on a machine that is busy. */
const START = 150_000;

/** A server of others in a folder of its own; gone with it after `stop`. */
export class Peer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly ports: readonly number[],
  ) {}

  /** The address of its first port. */
  get url(): string {
    return `http://127.0.0.1:${this.ports[0]}`;
  }

  /**
   * @param files - folder below `peers/` that is copied into the server's own
   * @param command - what is run there, given the ports
   * @param ready - whether it answers
   */
  static async start(
    count: number,
    command: (ports: readonly number[], folder: string) => { argv: readonly string[]; env?: Record<string, string> },
    ready: (ports: readonly number[]) => Promise<boolean>,
    files?: string,
  ): Promise<Peer> {
    const folder = await mkdtemp(join(tmpdir(), 'ph-peer-'));
    if (files !== undefined) await cp(join(PEERS, files), folder, { recursive: true });
    const ports = await freePorts(count);
    const { argv, env = {} } = command(ports, folder);
    const [program = '', ...args] = argv;
    let said = '';
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let missing = false;
    child.once('error', (error) => {
      missing = true;
      said = `${error.message}; npm test makes the environments that tests need`;
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        said = (said + data.toString()).slice(-4_000);
      });
    }
    const peer = new Peer(child, folder, ports);
    const deadline = Date.now() + START;
    while (!(await ready(ports))) {
      const ended = missing || child.exitCode !== null || child.signalCode !== null;
      if (ended || Date.now() > deadline) {
        await peer.stop();
        throw new Error(`${program} ${ended ? 'ended' : 'was not ready in time'}:\n${said}`);
      }
      await delay(50);
    }
    return peer;
  }

  async stop(): Promise<void> {
    if (this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exited;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** MLServer with the model `doubler`; its ports are REST, gRPC and metrics. */
export function startMlserver(): Promise<Peer> {
  return Peer.start(
    3,
    ([rest, grpc, metrics]) => ({
      argv: [join(PEERS_ENV, 'bin', 'mlserver'), 'start', '.'],
      env: {
        MLSERVER_HOST: '127.0.0.1',
        MLSERVER_HTTP_PORT: String(rest),
        MLSERVER_GRPC_PORT: String(grpc),
        MLSERVER_METRICS_PORT: String(metrics),
        MLSERVER_PARALLEL_WORKERS: '0',
      },
    }),
    ([rest]) => answers(`http://127.0.0.1:${rest}/v2/models/doubler/ready`),
    'mlserver',
  );
}

/** A `radical.utils` server with `scale` and `sleep` beside its own `echo` and `fail`. */
export function startRuServer(): Promise<Peer> {
  return Peer.start(
    1,
    ([port]) => ({ argv: [join(PEERS_ENV, 'bin', 'python'), join(PEERS, 'ru_server.py'), String(port)] }),
    ([port]) => listens(port ?? 0),
  );
}

/** Ports that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Whether GET on a URL is answered well. */
export async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // Not listening yet.
  }
}

/** Whether something accepts a connection. */
export async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    return await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
