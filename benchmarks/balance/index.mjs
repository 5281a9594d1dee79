// The figures of balancing: eight instances, two of them five times slower, and requests in bursts, by policy.
import { join } from 'node:path';
import { connect } from '@pilothouse/sdk/node';
import { freePort } from '../lib/jupyter.mjs';
import { createStack } from '../lib/stack.mjs';
import { median, round } from '../lib/stats.mjs';
import { runClients, startService } from '../response/processes.mjs';
import { startHaproxy } from './haproxy.mjs';

const PROGRAMS = join(import.meta.dirname, 'programs');
const NODE = process.execPath;
const POLICIES = ['round-robin', 'least-outstanding', 'power-of-two', 'session-affinity', 'prefix-affinity'];
const INSTANCES = 8;
const REPEATS = 5;
/** 192 requests a second where 320 are possible, of which round robin asks more of the slow ones than they can do. */
const LOAD = { bursts: 24, size: 48, every: 250 };

/**
 * Runs all policies by turns, through the bridge's gateway, over services of the product.
 *
 * @param flags - `--peers haproxy` runs that beside
 */
export async function balance(say, flags) {
  const peers = peersOf(flags);
  const stack = createStack();
  process.env.PILOTHOUSE_HOME = stack.home;
  process.env.PILOTHOUSE_RUNTIME_DIR = stack.runtimeDir;
  const { env } = stack;
  const session = await connect({ name: 'bench' });
  const ends = [];
  try {
    const pilot = await session.pilots.submit({ cores: 1, runtime: '1h' });
    await pilot.until('ACTIVE', { timeout: '1m' });
    const ways = {};
    for (const policy of POLICIES) {
      await startPolicy(session, pilot, policy);
      ways[policy] = { socket: join(stack.runtimeDir, 'bridge.sock'), model: policy };
    }
    if (peers.includes('haproxy')) {
      const instances = await Promise.all(Array.from({ length: INSTANCES }, (_, at) => startInstance(at + 1, env)));
      const proxy = await startHaproxy(
        stack.root,
        instances.map(({ reached }) => reached.port),
      );
      ends.push(() => proxy.end(), ...instances.map((one) => () => one.end()));
      ways.haproxy = { port: proxy.port, model: 'any' };
    }
    const results = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      for (const [way, target] of Object.entries(ways)) {
        const argv = [NODE, join(PROGRAMS, 'bursts.mjs'), JSON.stringify({ ...target, ...LOAD })];
        const { results: measured } = await runClients([argv], { env });
        results[way].push(measured[0]);
      }
      say(
        `p99: ${Object.entries(results)
          .map(([way, all]) => `${way} ${Math.round(all.at(-1).p99)}`)
          .join(', ')} ms`,
      );
    }
    return figures(results);
  } finally {
    await session.close();
    await Promise.all(ends.map((end) => end()));
    await stack.close();
  }
}

async function startPolicy(session, pilot, policy) {
  const service = await session.services.start(policy, {
    pilot,
    command: [NODE, join(PROGRAMS, 'instance.mjs'), '{port}', '{instance}'],
    api: 'openai',
    model: 'noop',
    instances: INSTANCES,
    resources: { cores: 0 },
    probes: { readiness: { http: '/v1/models' } },
    routing: { policy, concurrency: 256, queue: 2000 },
    allowUnauthenticated: true,
  });
  await service.ready({ timeout: '2m' });
}

async function startInstance(number, env) {
  const port = await freePort();
  return startService([NODE, join(PROGRAMS, 'instance.mjs'), String(port), String(number)], { env });
}

function peersOf(flags) {
  const at = flags.indexOf('--peers');
  if (at === -1) return [];
  const names = (flags[at + 1] ?? '').split(',').filter(Boolean);
  if (names.length === 0 || names.some((name) => name !== 'haproxy')) throw new Error('--peers takes: haproxy');
  return names;
}

function figures(results) {
  const of = (way, name) => results[way].map((one) => one[name]);
  const figure = (way) => ({
    p50_ms: round(median(of(way, 'p50'))),
    p99_ms: round(median(of(way, 'p99'))),
    per_s: round(median(of(way, 'per_s'))),
  });
  const { haproxy, ...own } = Object.fromEntries(
    Object.keys(results).map((way) => [way.replaceAll('-', '_'), figure(way)]),
  );
  const ratios = of('least-outstanding', 'p99').map((p99, repeat) => p99 / of('round-robin', 'p99')[repeat]);
  return {
    ...own,
    p99_ratio: round(median(ratios)),
    peers: haproxy === undefined ? {} : { haproxy_leastconn: haproxy },
    spread: {
      p99_ratio: ratios.map(round),
      p99_ms: Object.fromEntries(
        Object.keys(results).map((way) => [way.replaceAll('-', '_'), of(way, 'p99').map(round)]),
      ),
    },
  };
}
