// The figures of the scheduler: the module that the agent runs, on a simulated pilot of 10,000 nodes with 8 GPUs each.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NODE24 } from '../../scripts/lib/paths.mjs';
import { median, round } from '../lib/stats.mjs';

const REPEATS = 5;
const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url));
const run = promisify(execFile);

async function part(name, seed) {
  const { stdout } = await run(NODE24, ['--expose-gc', '--max-old-space-size=6144', CHILD, name, String(seed)]);
  return JSON.parse(stdout);
}

/** Runs every part five times, each with a mix of its own. */
export async function scheduler(say) {
  const speed = [];
  const checks = [];
  const uses = [];
  for (let seed = 1; seed <= REPEATS; seed += 1) {
    say(`repeat ${seed} of ${REPEATS}: 1,000,000 tasks`);
    speed.push(await part('speed', seed));
    say(
      `${Math.round(speed.at(-1).decisions_per_s)} decisions/s, growth ${round(speed.at(-1).growth)}; checking 100,000`,
    );
    checks.push(await part('check', seed));
    for (const text of checks.at(-1).first) say(text);
    say(`${checks.at(-1).violations} violations; utilisation beside the reference`);
    uses.push(await part('utilisation', seed));
  }
  const all = (of) => speed.map(of);
  return {
    decisions_per_s: Math.round(median(all((one) => one.decisions_per_s))),
    p99_us: round(median(all((one) => one.p99_us))),
    bytes_per_task: Math.round(median(all((one) => one.bytes_per_task))),
    growth: round(median(all((one) => one.growth))),
    utilisation_ratio: round(median(uses.map(({ ratio }) => ratio))),
    violations: checks.reduce((sum, { violations }) => sum + violations, 0),
    spread: {
      decisions_per_s: all((one) => Math.round(one.decisions_per_s)),
      decisions_per_cpu_s: all((one) => Math.round(one.decisions_per_cpu_s)),
      placements_per_s: all((one) => Math.round(one.placements_per_s)),
      p99_us: all((one) => round(one.p99_us)),
      max_ms: all((one) => round(one.max_ms)),
      bytes_per_task: all((one) => Math.round(one.bytes_per_task)),
      growth: all((one) => round(one.growth)),
      utilisation: uses.map(({ own, reference }) => [round(own), round(reference)]),
    },
  };
}
