import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { eventually } from './sessions.js';

export const REPO = resolve(import.meta.dirname, '../../..');
/** The Node that the product brings along for its own processes. */
export const NODE24 = join(REPO, 'tools/node24/node_modules', `node-linux-${process.arch}`, 'bin/node');
const BRIDGE = join(REPO, 'kernels-bridge/lib/main.js');

/** The built product with folders of its own. Set up for this process too, so that `connect()` finds it. */
export class Product {
  readonly folder = mkdtempSync('/tmp/ph-');
  readonly home = join(this.folder, 'h');
  readonly runtimeDir = join(this.folder, 'r');
  readonly launcher = join(this.folder, 'launcher.json');
  readonly env: NodeJS.ProcessEnv;

  constructor(argv: readonly string[] = [NODE24, BRIDGE]) {
    if (!existsSync(BRIDGE)) throw new Error('build first: npx tsc -b kernels-bridge');
    writeFileSync(this.launcher, JSON.stringify({ argv, version: '0.1.0' }));
    const own = {
      PILOTHOUSE_HOME: this.home,
      PILOTHOUSE_RUNTIME_DIR: this.runtimeDir,
      PILOTHOUSE_LAUNCHER: this.launcher,
    };
    Object.assign(process.env, own);
    this.env = { ...process.env, ...own };
  }

  /** Processes that carry this product's state root in their environment. */
  processes(): { pid: number; command: string }[] {
    const found: { pid: number; command: string }[] = [];
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === process.pid) continue;
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        if (!environment.includes(`PILOTHOUSE_HOME=${this.home}`)) continue;
        found.push({ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() });
      } catch {
        // Gone between listing and reading, or not ours to read.
      }
    }
    return found;
  }

  bridges(): number[] {
    return this.processes()
      .filter(({ command }) => command.includes(BRIDGE))
      .map(({ pid }) => pid);
  }

  /** Ends everything of this product and removes its folders. */
  async remove(): Promise<void> {
    await eventually(() => {
      const left = this.processes();
      for (const { pid } of left) kill(pid);
      return left.length === 0;
    }, 'everything has ended');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was faster.
  }
}

/** Runs a program to its end. */
export function runProgram(
  argv: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [program = '', ...args] = argv;
  return new Promise((settle, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: 100_000 });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.once('error', reject);
    child.once('close', (code) => settle({ code, stdout, stderr }));
  });
}

/** Makes a folder with the packed SDK and its dependencies in node_modules, as a user would have it. */
export function installPacked(folder: string): void {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', folder, join(REPO, 'sdk')], { encoding: 'utf8' }),
  );
  const modules = join(folder, 'node_modules');
  const target = join(modules, '@pilothouse/sdk');
  execFileSync('mkdir', ['-p', target, join(modules, '@types')]);
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', target, '--strip-components=1']);
  for (const name of ['rxjs', 'zod', 'ws', 'tslib', '@orpc', '@types/node', 'undici-types']) {
    const source = join(REPO, 'node_modules', name);
    if (existsSync(source)) execFileSync('ln', ['-s', source, join(modules, name)]);
  }
}
