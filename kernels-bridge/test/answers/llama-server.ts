import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { serviceDescriptionSchema } from '@pilothouse/sdk/internal';
import { templatesOf } from '../../src/templates/index.js';

const templates = templatesOf({ env: process.env, home: '/nonexistent', launcher: '/nonexistent' });

/** Why the real server cannot run here; null where it can. */
export const unavailable = (await templates.report()).find(({ name }) => name === 'smollm2')?.reason ?? null;

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A real llama-server, started as the template says, with one thread. */
export class LlamaServer {
  readonly url: string;
  readonly #folder: string;
  readonly #key: string | null;
  #child: ChildProcess | undefined;

  private constructor(
    folder: string,
    readonly port: number,
    key: string | null,
  ) {
    this.#folder = folder;
    this.#key = key;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** @param key - null for a server that asks for none */
  static async start(folder: string, key: string | null): Promise<LlamaServer> {
    const server = new LlamaServer(folder, await freePort(), key);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const plan = await templates.plan(serviceDescriptionSchema.parse({ template: 'smollm2' }), { cwd: '/', home: '/' });
    const keyFile = join(this.#folder, `key-${this.port}`);
    if (this.#key !== null) writeFileSync(keyFile, this.#key, { mode: 0o600 });
    const words: Record<string, string> = {
      '{host}': '127.0.0.1',
      '{port}': String(this.port),
      '{cores}': '1',
      '{apiKeyFile}': keyFile,
    };
    const argv = plan.command.map((word) => words[word] ?? word);
    if (this.#key === null) argv.splice(argv.indexOf('--api-key-file'), 2);
    const [program = '', ...args] = argv;
    this.#child = spawn(program, args, { env: { ...process.env, ...plan.env }, stdio: 'ignore' });
    const deadline = Date.now() + 60_000;
    while (!(await this.#isHealthy())) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error('llama-server ended');
      if (Date.now() > deadline) throw new Error('llama-server was not ready within 60 s');
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** How many of its slots work at the moment, as it says itself. */
  async busySlots(): Promise<number> {
    const headers: Record<string, string> = this.#key === null ? {} : { authorization: `Bearer ${this.#key}` };
    const response = await fetch(`${this.url}/slots`, { headers });
    const slots = (await response.json()) as { is_processing: boolean }[];
    return slots.filter(({ is_processing }) => is_processing).length;
  }

  async #isHealthy(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health`)).ok;
    } catch {
      return false; // Not listening yet.
    }
  }
}
