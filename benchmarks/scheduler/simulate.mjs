// Drives the scheduler as it is built for the agent.

import { Pool } from '../../pilot-agent/lib/scheduler/pool.js';
import { Scheduler } from '../../pilot-agent/lib/scheduler/scheduler.js';
import { NODE, seeded } from './mix.mjs';
import { loadOf } from './reference.mjs';

function makeScheduler(nodes) {
  const scheduler = new Scheduler(new Pool(Array.from({ length: nodes }, () => NODE)));
  scheduler.begin();
  return scheduler;
}

/**
 * Everybody applies, then whoever runs ends in random order until nobody is left. A decision is a task that was told to wait, or
 * one that was started.
 *
 * @param watch - `granted`, `released`, `keptFor`, `ended` of a checker; its time counts too
 */
export function runAll(mix, nodes, seed, { times, watch, measureMemory } = {}) {
  const random = seeded(seed);
  const scheduler = makeScheduler(nodes);
  const running = [];
  let started = 0;
  let waited = 0;
  const applicants = mix.map((one) => ({
    ...one,
    granted: (grant) => {
      started += 1;
      running.push({ one, grant });
      watch?.granted(one, grant);
    },
    waits: () => undefined,
  }));
  const before = measureMemory?.();
  let calls = 0;
  const begin = performance.now();
  const cpuBegin = cpuSeconds();
  const timed = (work) => {
    if (times === undefined) return work();
    const from = performance.now();
    work();
    times[calls] = performance.now() - from;
    calls += 1;
  };
  for (const applicant of applicants) {
    timed(() => scheduler.apply(applicant));
    watch?.keptFor(scheduler.keptFor);
  }
  waited = scheduler.waiting;
  const pause = performance.now();
  const cpuPause = cpuSeconds();
  const bytes = measureMemory === undefined ? 0 : (measureMemory() - before) / waited;
  const paused = performance.now() - pause;
  const cpuPaused = cpuSeconds() - cpuPause;
  while (running.length > 0) {
    const index = Math.floor(random() * running.length);
    const { one, grant } = running[index];
    running[index] = running.at(-1);
    running.pop();
    watch?.released(one.id, one.demand, grant);
    timed(() => scheduler.release(grant));
    watch?.keptFor(scheduler.keptFor);
  }
  const seconds = (performance.now() - begin - paused) / 1000;
  const cpu = cpuSeconds() - cpuBegin - cpuPaused;
  watch?.ended(scheduler.waiting);
  return { decisions: started + waited, started, waited, seconds, cpu, bytes, calls };
}

/** Seconds of CPU time, of all threads of this process. */
function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Share of the nodes in use, mean over the ticks until the last one starts; each end is told by itself. */
export function utilisation(mix, nodes) {
  const scheduler = makeScheduler(nodes);
  const ends = new Map();
  let tick = 0;
  let busy = 0;
  let sum = 0;
  for (const one of mix) {
    scheduler.apply({
      ...one,
      granted: (grant) => {
        busy += loadOf(one);
        const end = tick + one.ticks;
        const list = ends.get(end) ?? [];
        list.push({ one, grant });
        ends.set(end, list);
      },
      waits: () => undefined,
    });
  }
  if (scheduler.waiting === 0) return busy / nodes;
  for (; ; tick += 1) {
    for (const { one, grant } of ends.get(tick) ?? []) {
      busy -= loadOf(one);
      scheduler.release(grant);
    }
    if (scheduler.waiting === 0) return sum / tick / nodes;
    sum += busy;
  }
}
