import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import type { Contract, ErrorData, Origin } from '@pilothouse/sdk/internal';
import { WebSocket } from 'ws';

const MAIN = fileURLToPath(new URL('../../lib/main.js', import.meta.url));

export type Client = ContractRouterClient<Contract>;

/** A client's connection to a bridge under test. */
export interface Connected {
  readonly client: Client;
  readonly socket: WebSocket;
}

let keys = 0;

/** A new idempotency key. */
export function newKey(): string {
  keys += 1;
  return `test-key-${process.pid}-${keys}`;
}

export const origin: Origin = {
  name: 'test.ipynb',
  kind: 'node',
  cwd: '/tmp',
  env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
};

/** Waits until a look gives something, asking again all the time; fails with what it looked for. */
export async function eventually<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`not seen within 20 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The error data that a rejected call carries. */
export async function errorOf(call: Promise<unknown>): Promise<ErrorData> {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof Error && 'data' in error) return error.data as ErrorData;
  throw new Error('the call did not fail as one of ours', { cause: error });
}

/** One Pilothouse with folders of its own; bridges are started in it, and everything it started is ended with it. */
export class TestHome {
  readonly #children = new Set<ChildProcess>();
  readonly #sockets = new Set<WebSocket>();
  /** What the bridges said. */
  output = '';

  private constructor(
    readonly home: string,
    readonly runtimeDir: string,
  ) {}

  static async make(): Promise<TestHome> {
    return new TestHome(await mkdtemp('/tmp/phb-'), await mkdtemp('/tmp/phr-'));
  }

  /** The same state root with another runtime dir, as on another host. */
  async elsewhere(): Promise<TestHome> {
    return new TestHome(this.home, await mkdtemp('/tmp/phr-'));
  }

  get socket(): string {
    return join(this.runtimeDir, 'bridge.sock');
  }

  /** Starts a bridge, by another command in front of it where given. */
  start(env: Record<string, string> = {}, before: readonly string[] = []): ChildProcess {
    const [program = process.execPath, ...args] = [...before, process.execPath, MAIN];
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PILOTHOUSE_HOME: this.home, PILOTHOUSE_RUNTIME_DIR: this.runtimeDir, ...env },
    });
    child.stderr?.on('data', (data: Buffer) => {
      this.output += data.toString();
    });
    this.#children.add(child);
    return child;
  }

  /** Starts a bridge and connects to it. */
  async serve(
    env: Record<string, string> = {},
    before: readonly string[] = [],
  ): Promise<Connected & { child: ChildProcess }> {
    const child = this.start(env, before);
    return { ...(await this.connect(child)), child };
  }

  /** Connects once the socket answers. */
  async connect(child?: ChildProcess): Promise<Connected> {
    const socket = await eventually(`a bridge at ${this.socket}`, async () => {
      if (child?.exitCode !== null && child?.exitCode !== undefined)
        throw new Error(`the bridge ended:\n${this.output}`);
      return tryConnect(this.socket);
    });
    this.#sockets.add(socket);
    // The four members that oRPC uses behave alike; only the types of their listeners come from different places.
    const websocket = socket as unknown as globalThis.WebSocket;
    return { socket, client: createORPCClient(new RPCLink({ websocket })) };
  }

  /** Ends everything, and says what would not end. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    for (const child of this.#children) child.kill('SIGKILL');
    for (let round = 0; round < 50; round += 1) {
      const left = this.processes();
      if (left.length === 0) break;
      for (const { pid } of left) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself meanwhile.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await rm(this.runtimeDir, { recursive: true, force: true });
    await rm(this.home, { recursive: true, force: true });
  }

  /** Processes that carry this home in their environment, without the test itself. */
  processes(): { pid: number; command: string }[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .flatMap((name) => {
        try {
          if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(`PILOTHOUSE_HOME=${this.home}\0`)) return [];
          const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ');
          return command === '' ? [] : [{ pid: Number(name), command }];
        } catch {
          return []; // Ended while we looked.
        }
      });
  }

  /** A JSON file in the state root. */
  async whole(path: string): Promise<unknown> {
    return JSON.parse(await readFile(join(this.home, path), 'utf8'));
  }

  /** The lines of a file of JSON Lines in the state root. */
  async records(path: string): Promise<Record<string, unknown>[]> {
    const text = await readFile(join(this.home, path), 'utf8');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/** Resolves with the exit code once a process has ended. */
export function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

function tryConnect(path: string): Promise<WebSocket | null> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws+unix://${path}:/ws`);
    socket.once('open', () => resolve(socket));
    socket.on('error', () => resolve(null));
  });
}
