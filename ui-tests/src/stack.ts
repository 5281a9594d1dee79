import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CLI_MAIN, NODE24, REPO } from '../../scripts/lib/paths.mjs';
import { runCaptured } from '../../scripts/lib/processes.mjs';
import { Api } from './api.js';
import { isAlive, processesOf, type StackProcess, signalIfThere } from './processes.js';
import { until } from './until.js';

const READY = /^Pilothouse is ready: (\S+)$/;
const START_LIMIT_MS = 120_000;

/** How a stack is started. */
export interface StackOptions {
  /** Path under which JupyterLab is reached; a portal's by default, so that every test meets one. */
  readonly baseUrl?: string;
  /** Variables on top of the environment of `npm start`. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The whole product as `npm start` runs it, with a state root, runtime directory, workspace and Jupyter configuration of
 * its own. Nothing of it may be left when it is closed.
 */
export class Stack {
  readonly home: string;
  readonly runtime: string;
  readonly workspace: string;
  readonly env: NodeJS.ProcessEnv;
  /** The bridge of this stack, asked directly. */
  readonly api: Api;
  #scratch: string;
  #options: StackOptions;
  #start: ChildProcess | undefined;
  #url: URL | undefined;
  /** What `npm start` has printed, all starts together. */
  output = '';

  private constructor(options: StackOptions) {
    this.#options = options;
    // Short, because paths of unix sockets may have 107 bytes at most.
    this.#scratch = realpathSync(mkdtempSync(join(tmpdir(), 'ph-')));
    const folder = (name: string) => {
      const path = join(this.#scratch, name);
      mkdirSync(path, { mode: 0o700 });
      return path;
    };
    this.home = folder('h');
    this.runtime = folder('r');
    this.workspace = folder('w');
    this.api = new Api(join(this.runtime, 'bridge.sock'), this.workspace);
    const config = folder('c');
    writeFileSync(join(config, 'jupyter_config.py'), GALATA_CONFIG);
    this.env = {
      ...withoutJupyter(process.env),
      PILOTHOUSE_HOME: this.home,
      PILOTHOUSE_RUNTIME_DIR: this.runtime,
      JUPYTER_CONFIG_DIR: config,
      JUPYTER_DATA_DIR: folder('d'),
      JUPYTER_RUNTIME_DIR: folder('j'),
      IPYTHONDIR: folder('i'),
      ...options.env,
    };
  }

  /** Starts a stack and resolves when JupyterLab answers. */
  static async start(options: StackOptions = {}): Promise<Stack> {
    const stack = new Stack(options);
    try {
      await stack.startLab();
    } catch (error) {
      await stack.close();
      throw error;
    }
    return stack;
  }

  /** JupyterLab's address with its token. */
  get url(): URL {
    if (this.#url === undefined) throw new Error('JupyterLab of this stack does not run');
    return this.#url;
  }

  /** JupyterLab's base address without the token, ending in a slash. */
  get baseUrl(): string {
    return new URL('.', this.url).href;
  }

  get token(): string {
    return this.url.searchParams.get('token') ?? '';
  }

  /** Runs `npm start`, on the port it had before, if there was one: an open page finds it again. */
  async startLab(): Promise<void> {
    const port = this.#url?.port;
    const child = spawn(
      process.execPath,
      [
        join(REPO, 'scripts', 'start.mjs'),
        '--no-browser',
        '--workspace',
        this.workspace,
        '--base-url',
        this.#options.baseUrl ?? '/user/tester/',
        ...(port ? ['--port', port] : []),
      ],
      { cwd: REPO, env: this.env, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#start = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    const ready = new Promise<URL>((resolve, reject) => {
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => {
        this.output += `${line}\n`;
        const url = READY.exec(line)?.[1];
        if (url) resolve(new URL(url));
      });
      child.once('exit', (status) => reject(new Error(`npm start ended (exit ${status}):\n${this.output}`)));
    });
    const limit = AbortSignal.timeout(START_LIMIT_MS);
    const late = once(limit, 'abort').then(() => {
      throw new Error(`npm start was not ready after ${START_LIMIT_MS / 1000} s:\n${this.output}`);
    });
    this.#url = await Promise.race([ready, late]);
  }

  /** Ctrl-C in the terminal of `npm start`. */
  async stopLab(): Promise<void> {
    const child = this.#start;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // `close`, not `exit`: what it said last is still on its way when the process is gone.
    const ended = once(child, 'close');
    child.kill('SIGINT');
    await ended;
  }

  /** `kill -9` of `npm start` itself. */
  killStart(): void {
    this.#start?.kill('SIGKILL');
  }

  /** Resolves when `npm start` has ended by itself, as it does after JupyterLab was killed. */
  async labEnded(): Promise<void> {
    const child = this.#start;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await once(child, 'exit');
  }

  async restartLab(): Promise<void> {
    await this.stopLab();
    await this.startLab();
  }

  /** Every process of this stack, except the `npm start` that the test itself holds. */
  processes(): StackProcess[] {
    return processesOf(this.home, [this.home, this.runtime, this.workspace]).filter(
      ({ pid }) => pid !== this.#start?.pid,
    );
  }

  /** The processes whose command line matches: `stack.find(/jupyterlab/)`. */
  find(command: RegExp): StackProcess[] {
    return this.processes().filter((candidate) => command.test(candidate.command));
  }

  /** Kills the processes whose command line matches, and waits until they are gone. At least one must be there. */
  async kill(command: RegExp, signal: NodeJS.Signals = 'SIGKILL'): Promise<StackProcess[]> {
    const victims = this.find(command);
    if (victims.length === 0)
      throw new Error(`No process of this stack matches ${command}; there are:\n${this.listing()}`);
    for (const { pid } of victims) process.kill(pid, signal);
    await until(() => victims.every(({ pid }) => !isAlive(pid)), `${command} to end`);
    return victims;
  }

  /** One line per process, for messages. */
  listing(): string {
    return this.processes()
      .map(({ pid, command }) => `${pid} ${command}`)
      .join('\n');
  }

  /** Runs the command line on this stack's state. */
  async pilothouse(...args: string[]): Promise<{ status: number | null; output: string }> {
    return runCaptured([NODE24, CLI_MAIN, ...args], { env: this.env, cwd: this.workspace, timeoutMs: 60_000 });
  }

  /** A file of the workspace. */
  read(path: string): string {
    return readFileSync(join(this.workspace, path), 'utf8');
  }

  /** Writes a file into the workspace. */
  write(path: string, content: string): void {
    writeFileSync(join(this.workspace, path), content);
  }

  /** Makes a folder in the workspace. */
  makeFolder(path: string): void {
    mkdirSync(join(this.workspace, path));
  }

  /**
   * Ends everything and removes its folders.
   * @throws where a process of this stack is still there after that: it is named, then killed
   */
  async close(): Promise<void> {
    await this.stopLab();
    // Also where the bridge itself is gone: a pilot goes on without it, and the command line starts one to end it.
    if (this.processes().length > 0) {
      await this.pilothouse('end', '--all', '--yes');
      await this.pilothouse('bridge', 'stop');
    }
    const left = await until(() => this.processes().length === 0, 'all processes of the stack to end').then(
      () => '',
      () => this.listing(),
    );
    for (const { pid } of this.processes()) signalIfThere(pid, 'SIGKILL');
    rmSync(this.#scratch, { recursive: true, force: true });
    if (left) throw new Error(`Left running after the end of the stack:\n${left}`);
  }
}

// Galata finds the application and its helpers in the window; everything else is as a user has it, token included.
const GALATA_CONFIG = `
from pathlib import Path

import jupyterlab

c.LabServerApp.extra_labextensions_path = str(Path(jupyterlab.__file__).parent / "galata")
c.LabApp.expose_app_in_browser = True
`;

function withoutJupyter(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(JUPYTER|JPY|PILOTHOUSE)/.test(name)));
}
