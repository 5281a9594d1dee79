import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { batchRowSchema } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exitOf, newKey, origin, TestHome } from '../support/bridge.js';

/** `npm run test:full` does what users do. */
const ROWS = process.env.PILOTHOUSE_ROUNDS === undefined ? 3_000 : 50_000;
/** Long, for slow machines: nothing is measured here. */
const SECONDS = ROWS / 100 + 120;

const program = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

let place: TestHome;
beforeEach(async () => {
  place = await TestHome.make();
});
afterEach(() => place.close());

/** Waits for what others do; slow machines get long. */
async function until<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = Date.now() + SECONDS * 1000;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`not seen within ${SECONDS} s: ${what}\n${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What whoever reads of a failure wants to know: what the bridges said, and the agents last. */
function said(): string {
  const pilots = join(place.home, 'pilots');
  const journals = readdirSync(pilots).map((id) => {
    const folder = join(pilots, id, 'journal');
    const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'));
    return lines.slice(-10).join('\n');
  });
  return `${place.output}\n${journals.join('\n')}`;
}

function pidOf(part: string): number {
  const [found] = place.processes().filter(({ command }) => command.includes(part) && !command.includes('warden.py'));
  if (found === undefined) throw new Error(`no process with ${part} runs`);
  return found.pid;
}

test(
  `${ROWS} prompts, with kernel, bridge, an instance and the agent killed midway: each key once`,
  async () => {
    const { client, child } = await place.serve();
    await client.pilots.ensure({ name: 'demo', description: { cores: 2, runtime: '30m' }, origin, key: newKey() });
    const command = [process.execPath, program('echo-server.mjs'), '{port}', '{apiKeyFile}'];
    const description = { command, instances: 2, probes: { readiness: { http: '/health' } } };
    await client.services.ensure({ name: 'echo', description, origin, key: newKey() });

    const out = join(place.home, 'out.jsonl');
    const kernel = spawn(process.execPath, [program('kernel.mjs'), String(ROWS), out], {
      env: { ...process.env, PILOTHOUSE_HOME: place.home, PILOTHOUSE_RUNTIME_DIR: place.runtimeDir },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [id] = (await once(kernel.stdout, 'data')).map(String);
    const ref = id?.trim() ?? '';

    /** Waits until so much of the output is there; rows are about of one length. */
    const reached = (share: number) =>
      until(`${share * 100} % of the rows`, () => {
        const size = statSync(out, { throwIfNoEntry: false })?.size ?? 0;
        if (size === 0) return false;
        const [first = ''] = readFileSync(out, 'utf8').slice(0, 1000).split('\n');
        return size > share * ROWS * first.length;
      });

    await reached(0.1);
    kernel.kill('SIGKILL');
    child.kill('SIGKILL');
    await exitOf(child);
    await reached(0.3);
    process.kill(pidOf('echo-server.mjs'), 'SIGKILL');
    await reached(0.5);
    process.kill(pidOf('pilot-agent/lib/main.js'), 'SIGKILL');
    await reached(0.7);

    const { client: again } = await place.serve();
    const batch = await until('the end of the batch', async () => {
      const found = await again.batches.get({ ref });
      return found.endedAt !== null && found;
    });
    expect(batch).toMatchObject({ state: 'DONE', progress: { total: ROWS, done: ROWS, failed: 0 } });
    const rows = readFileSync(out, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => batchRowSchema.parse(JSON.parse(line)));
    expect(rows).toHaveLength(ROWS);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(ROWS);
    expect(rows.filter(({ key, text }) => text !== `echo prompt ${key}`)).toEqual([]);
    expect(new Set(rows.map(({ instance }) => instance))).toEqual(new Set([1, 2]));
  },
  SECONDS * 4000,
);
