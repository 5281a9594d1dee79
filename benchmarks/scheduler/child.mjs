// One repeat, in a process of its own, so that no repeat meets the heap of another: `child.mjs PART SEED`.
// Prints its figures as JSON.

import { quantile } from '../lib/stats.mjs';
import { Checker } from './checker.mjs';
import { makeMix } from './mix.mjs';
import { referenceUtilisation } from './reference.mjs';
import { runAll, utilisation } from './simulate.mjs';

const NODES = 10_000;
const FEW = 10_000;
const MANY = 1_000_000;
const CHECKED = 100_000;
/** The small run is over soon, so it is repeated: the first ones warm up the compiler. */
const WARM_UP = 5;
const SMALL_RUNS = 15;

const [part, seedText] = process.argv.slice(2);
const seed = Number(seedText);

function memory() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const PARTS = {
  speed() {
    const few = makeMix(FEW, seed);
    const perDecision = [];
    for (let run = 0; run < WARM_UP + SMALL_RUNS; run += 1) {
      const { cpu, decisions } = runAll(few, NODES, seed + run);
      if (run >= WARM_UP) perDecision.push(cpu / decisions);
    }
    const times = new Float64Array(2 * MANY);
    const many = runAll(makeMix(MANY, seed), NODES, seed, { times, measureMemory: memory });
    return {
      decisions_per_s: many.decisions / many.seconds,
      placements_per_s: many.started / many.seconds,
      p99_us: 1000 * quantile(times.subarray(0, many.calls), 0.99),
      max_ms: quantile(times.subarray(0, many.calls), 1),
      bytes_per_task: many.bytes,
      decisions_per_cpu_s: many.decisions / many.cpu,
      // Of CPU time: what else the machine does in the meantime does not count.
      growth: many.cpu / many.decisions / quantile(perDecision, 0.5),
    };
  },
  check() {
    const checker = new Checker(NODES);
    runAll(makeMix(CHECKED, seed), NODES, seed, { watch: checker });
    return { violations: checker.violations.length, first: checker.violations.slice(0, 3) };
  },
  utilisation() {
    const mix = makeMix(FEW, seed);
    const own = utilisation(mix, NODES);
    const reference = referenceUtilisation(mix, NODES);
    return { own, reference, ratio: own / reference };
  },
};

console.log(JSON.stringify(PARTS[part]()));
