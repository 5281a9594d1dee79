// How long it takes until instances are ready and known to their user; beside it the same processes with no runtime.
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from '@pilothouse/sdk/node';
import { createStack } from '../lib/stack.mjs';
import { median, round } from '../lib/stats.mjs';

const run = promisify(execFile);
const COUNTS = [1, 2, 4, 8, 20, 40, 80, 160, 320, 640];
/** Large ones vary little, and take long. */
const repeatsOf = (count) => (count <= 40 ? 5 : 3);
const LOADING = { count: 8, seconds: 2, repeats: 3 };
const DEATHS = 10;
const PYTHON = '/usr/bin/python3';
const NOOP = join(import.meta.dirname, 'noop.py');
const BARE = join(import.meta.dirname, 'bare.py');

/**
 * Starts a service of so many noop instances, ends it, and starts the same processes bare, in turns.
 *
 * @param flags - `--counts 1,8,640`: these numbers of instances alone
 */
export async function bootstrap(say, flags) {
  const stack = createStack();
  process.env.PILOTHOUSE_HOME = stack.home;
  process.env.PILOTHOUSE_RUNTIME_DIR = stack.runtimeDir;
  process.chdir(stack.workspace);
  try {
    const session = await connect({ name: 'bench' });
    const pilot = await session.pilots.submit({ cores: availableParallelism(), memory: '16GiB', runtime: '2h' });
    await pilot.until('ACTIVE', { timeout: '1m' });
    // The first service brings what an agent loads only with it.
    await start(session, pilot, 1);
    const rows = [];
    for (const count of countsOf(flags)) {
      const samples = [];
      for (let repeat = 0; repeat < repeatsOf(count); repeat += 1) {
        samples.push({ ...(await start(session, pilot, count)), bare: await bare(count) });
      }
      rows.push({ count, samples });
      say(
        `${count}: ${samples.map(({ total, bare }) => `${total.toFixed(2)} s (bare ${bare.toFixed(2)} s)`).join(', ')}`,
      );
    }
    const loading = [];
    for (let repeat = 0; repeat < LOADING.repeats; repeat += 1) {
      const { total } = await start(session, pilot, LOADING.count, LOADING.seconds);
      loading.push({ total, bare: await bare(LOADING.count, LOADING.seconds) });
    }
    say(
      `${LOADING.count} that load for ${LOADING.seconds} s: ${loading.map(({ total }) => total.toFixed(2)).join(' ')} s`,
    );
    const deaths = [];
    for (let repeat = 0; repeat < DEATHS; repeat += 1) deaths.push(await death(session, pilot));
    say(`a death at the start is told after ${deaths.map((one) => one.toFixed(0)).join(' ')} ms`);
    await session.close();
    return figures(rows, loading, deaths);
  } finally {
    await stack.close();
  }
}

function countsOf(flags) {
  const at = flags.indexOf('--counts');
  return at === -1 ? COUNTS : flags[at + 1].split(',').map(Number);
}

/** Seconds from the call until all are ready and published, with the means of the parts. */
async function start(session, pilot, count, seconds) {
  const began = performance.now();
  const service = await session.services.start(`noop-${count}`, {
    command: [PYTHON, '-I', '-S', NOOP, '{port}', ...(seconds === undefined ? [] : [String(seconds)])],
    api: 'rest',
    allowUnauthenticated: true,
    instances: count,
    resources: { cores: 0, memory: '16MiB' },
    probes: { readiness: { http: '/health' } },
    restarts: 0,
    startTimeout: '10m',
    pilot,
  });
  const ready = await firstRecord(service, ({ state, instances }) => {
    if (state === 'FAILED')
      throw new Error(`${count} instances: ${instances.find(({ error }) => error)?.error.message}`);
    return instances.length === count && instances.every(({ bootstrap }) => bootstrap !== null);
  });
  const total = (performance.now() - began) / 1000;
  await service.stop();
  await service.until('STOPPED', { timeout: '5m' });
  const mean = (part) => ready.instances.reduce((sum, { bootstrap }) => sum + bootstrap[part], 0) / count / 1000;
  return { total, launch: mean('launch'), init: mean('init'), publish: mean('publish') };
}

/** Milliseconds from the last words of a process that dies at its start until its user sees them. */
async function death(session, pilot) {
  const service = await session.services.start('dies', {
    command: [PYTHON, '-I', '-S', '-c', 'import sys, time; sys.exit(str(time.time()))'],
    api: 'rest',
    allowUnauthenticated: true,
    probes: { readiness: { http: '/health' } },
    restarts: 0,
    startTimeout: '10m',
    resources: { cores: 0, memory: '16MiB' },
    pilot,
  });
  const failed = await firstRecord(service, ({ state }) => state === 'FAILED');
  return Date.now() - Number(failed.instances[0].error.evidence) * 1000;
}

async function bare(count, seconds) {
  const more = seconds === undefined ? [] : [String(seconds)];
  return Number((await run(PYTHON, ['-I', '-S', BARE, String(count), ...more])).stdout);
}

/** The first record of a handle that fits. */
function firstRecord(handle, fits) {
  return new Promise((resolve, reject) => {
    const subscription = handle.record$.subscribe({
      next: (record) => {
        try {
          if (!fits(record)) return;
        } catch (error) {
          reject(error);
        }
        queueMicrotask(() => subscription.unsubscribe());
        resolve(record);
      },
      error: reject,
    });
  });
}

function figures(rows, loading, deaths) {
  const of = (part) => rows.map(({ samples }) => round(median(samples.map((sample) => sample[part]))));
  return {
    n: rows.map(({ count }) => count),
    launch_s: of('launch'),
    init_s: of('init'),
    publish_s: of('publish'),
    total_s: of('total'),
    bare_s: of('bare'),
    ratio: rows.map(({ samples }) => round(median(samples.map(({ total, bare }) => total / bare)))),
    loading: {
      n: LOADING.count,
      init_s: LOADING.seconds,
      total_s: round(median(loading.map(({ total }) => total))),
      bare_s: round(median(loading.map(({ bare }) => bare))),
      ratio: round(median(loading.map(({ total, bare }) => total / bare))),
    },
    death_reported_ms: round(median(deaths)),
    peers: {},
    spread: {
      total_s: rows.map(({ samples }) => samples.map(({ total }) => round(total))),
      bare_s: rows.map(({ samples }) => samples.map(({ bare }) => round(bare))),
      death_reported_ms: deaths.map(round),
    },
  };
}
