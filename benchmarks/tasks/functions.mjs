// Calls of functions in warm workers: how many a second, and how long one takes there and back.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineFunction } from '@pilothouse/sdk/node';
import { quantile } from '../lib/stats.mjs';

const CALLS = 20_000;
const TRIPS = 300;

/**
 * From giving out the calls to the last result in this process; each call has an id, a result and a final record. And one
 * call after the other: from giving it out to its result.
 *
 * @param options - `session`, an active `pilot`, `repeats`, and `workspace`: the folder that the session was made in
 * @returns per repeat `perSecond`, and `roundTripMs` (median of each repeat)
 */
export async function measureFunctions({ session, pilot, repeats, workspace, calls = CALLS, trips = TRIPS }) {
  writeFileSync(join(workspace, 'bench_functions.py'), 'def nothing(number):\n    return number\n');
  const nothing = defineFunction({ python: 'bench_functions:nothing' }).with({ pilot });
  const perSecond = [];
  const roundTripMs = [];
  await callsPerSecond(session, nothing, Math.min(calls, 2000));
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    perSecond.push(await callsPerSecond(session, nothing, calls));
    roundTripMs.push(quantile(await roundTrips(session, nothing, trips), 0.5));
  }
  return { perSecond, roundTripMs };
}

async function callsPerSecond(session, nothing, count) {
  const items = Array.from({ length: count }, (_, number) => number);
  const start = performance.now();
  const set = await session.tasks.map(nothing, items);
  const values = await set.results({ timeout: '5m' });
  const seconds = (performance.now() - start) / 1000;
  if (values.length !== count || values.some((value, number) => value !== number)) throw new Error('a result is wrong');
  set.close();
  return count / seconds;
}

async function roundTrips(session, nothing, count) {
  const samples = [];
  for (let number = 0; number < count; number += 1) {
    const start = performance.now();
    const call = session.tasks.run(nothing, number);
    await call.result();
    samples.push(performance.now() - start);
    call.close?.();
  }
  return samples;
}
