// The figures of tasks: how many, how fast, how small; with the limit of the machine and the peers in the same run.
import { cpus } from 'node:os';
import { connect } from '@pilothouse/sdk/node';
import { createStack } from '../lib/stack.mjs';
import { median, quantile, round } from '../lib/stats.mjs';
import { measureFunctions } from './functions.mjs';
import { submitMany } from './many.mjs';
import { PEERS, preparePeers, runPeer } from './peers.mjs';
import { roundTrips } from './round-trip.mjs';
import { spawnLimit } from './spawn-limit.mjs';
import { throughput } from './throughput.mjs';

const REPEATS = 5;
const COUNT = 3000;
const IN_FLIGHT = 64;
const PEER_TASKS = 500;
const PEER_CALLS = 5000;

/**
 * Runs every part in turn.
 *
 * @param flags - `--peers a,b` runs these beside
 */
export async function tasks(say, flags) {
  const peers = peersOf(flags);
  if (peers.length > 0) await preparePeers(say);
  const stack = createStack();
  process.env.PILOTHOUSE_HOME = stack.home;
  process.env.PILOTHOUSE_RUNTIME_DIR = stack.runtimeDir;
  process.chdir(stack.workspace);
  try {
    const session = await connect({ name: 'bench' });
    const limit = await spawnLimit(stack.root);
    const cores = cpus().length;
    const start = async (runtime) => {
      const pilot = await session.pilots.submit({ cores, runtime });
      await pilot.until('ACTIVE', { timeout: '1m' });
      return pilot;
    };
    let pilot = await start('1h');
    say('round trips, 5 x 100');
    const trips = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) trips.push(await roundTrips(session, pilot, 100));
    say(`round trip p50: ${trips.map((samples) => quantile(samples, 0.5).toFixed(2)).join(' ')} ms`);
    const rates = await throughput(session, pilot, limit, { repeats: REPEATS, count: COUNT, inFlight: IN_FLIGHT });
    say(`tasks per second: ${rates.map((one) => `${Math.round(one.tasks)} of ${Math.round(one.limit)}`).join(', ')}`);
    const functions = await measureFunctions({ session, pilot, repeats: REPEATS, workspace: stack.workspace });
    say(`functions per second: ${functions.perSecond.map(Math.round).join(' ')}`);
    await pilot.end();
    await pilot.done({ timeout: '1m' });
    const many = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      pilot = await start('1h');
      many.push(await submitMany(session, pilot, cores, stack.pid('kernels-bridge')));
      say(`100,000 tasks: ${many.at(-1).seconds.toFixed(2)} s, ${Math.round(many.at(-1).bytesPerTask)} bytes each`);
      await pilot.end();
      await pilot.done({ timeout: '2m' });
    }
    await session.close();
    const beside = {};
    for (const name of peers) {
      say(`peer: ${name}`);
      beside[name] = await runPeer(name, { tasks: PEER_TASKS, inFlight: IN_FLIGHT, calls: PEER_CALLS });
      say(JSON.stringify(beside[name]));
    }
    return figures({ rates, trips, functions, many, beside });
  } finally {
    await stack.close();
  }
}

function peersOf(flags) {
  const at = flags.indexOf('--peers');
  if (at === -1) return [];
  const names = (flags[at + 1] ?? '').split(',').filter(Boolean);
  const unknown = names.filter((name) => !PEERS.includes(name));
  if (names.length === 0 || unknown.length > 0) throw new Error(`--peers takes some of: ${PEERS.join(',')}`);
  return names;
}

function figures({ rates, trips, functions, many, beside }) {
  return {
    tasks_per_s: Math.round(median(rates.map(({ tasks }) => tasks))),
    spawn_limit_per_s: Math.round(median(rates.map(({ limit }) => limit))),
    spawn_ratio: round(median(rates.map(({ tasks, limit }) => tasks / limit))),
    round_trip_ms: {
      p50: round(median(trips.map((samples) => quantile(samples, 0.5)))),
      p99: round(median(trips.map((samples) => quantile(samples, 0.99)))),
    },
    functions_per_s: Math.round(median(functions.perSecond)),
    function_round_trip_ms: round(median(functions.roundTripMs)),
    submit_100k_s: round(median(many.map(({ seconds }) => seconds))),
    bytes_per_task: Math.round(median(many.map(({ bytesPerTask }) => bytesPerTask))),
    peers: beside,
    spread: {
      tasks_per_s: rates.map(({ tasks }) => Math.round(tasks)),
      spawn_limit_per_s: rates.map(({ limit }) => Math.round(limit)),
      round_trip_ms: trips.map((samples) => ({
        p50: round(quantile(samples, 0.5)),
        p99: round(quantile(samples, 0.99)),
      })),
      functions_per_s: functions.perSecond.map(Math.round),
      function_round_trip_ms: functions.roundTripMs.map(round),
      submit_100k_s: many.map(({ seconds }) => round(seconds)),
      bytes_per_task: many.map(({ bytesPerTask }) => Math.round(bytesPerTask)),
    },
  };
}
