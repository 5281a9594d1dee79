import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { Connection, type Target } from '../../src/direct/index.js';
import { type Served, type ServeOptions, serve } from '../../src/service/index.js';
import type { DefinedService } from '../../src/service-definition/index.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Something to be undone when the test is over. */
export function after(end: () => unknown): void {
  ends.push(end);
}

/** A service in this process, with keys of its own. */
export async function served<S extends DefinedService>(service: S, options: ServeOptions<S>): Promise<Served> {
  const home = mkdtempSync('/tmp/ph-own-');
  const before = process.env.PILOTHOUSE_HOME;
  process.env.PILOTHOUSE_HOME = home;
  try {
    const made = await serve(service, { drainTimeout: 0, handleSignals: false, announce: false, ...options });
    after(() => made.close().then(() => rmSync(home, { recursive: true })));
    return made;
  } finally {
    if (before === undefined) delete process.env.PILOTHOUSE_HOME;
    else process.env.PILOTHOUSE_HOME = before;
  }
}

/** A service of another process: what the module prints as JSON is how it is reached. */
export async function servedElsewhere(program: string): Promise<{ target: Target; kill: () => void }> {
  const home = mkdtempSync('/tmp/ph-own-');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, PILOTHOUSE_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  after(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(home, { recursive: true });
  });
  const [line] = await Promise.race([once(child.stdout, 'data'), ended.then(() => ['{}'])]);
  const { address, serverKey, keyFile } = JSON.parse(String(line));
  const token = readFileSync(keyFile, 'utf8').trim();
  return { target: { address, serverKey, token, name: 'instance 1' }, kill: () => child.kill('SIGKILL') };
}

/** How it is reached. */
export function targetOf({ address, serverKey, keyFile }: Served): Target {
  return { address, serverKey, token: readFileSync(keyFile, 'utf8').trim(), name: 'demo instance 1' };
}

/** A connection that ends with the test. */
export function connected(service: Served | Target): Connection {
  const connection = new Connection('keyFile' in service ? targetOf(service) : service);
  after(() => connection.close());
  return connection;
}

/** Resolves when it holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A promise to be settled from outside. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
