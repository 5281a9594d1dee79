// A seeded mix of what runs on large machines: from one core to 64 nodes, parts of GPUs, memory, tags, priorities, services.

const GIB = 2 ** 30;

/** A node of the simulated pilot. */
export const NODE = { cores: 64, gpus: Array.from({ length: 8 }, (_, index) => String(index)), memory: 512 * GIB };

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** So many tasks and services, each with how long it runs in ticks, which no scheduler is told. */
export function makeMix(count, seed) {
  const random = seeded(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  return Array.from({ length: count }, (_, index) => {
    const demand = demandOf(random(), random, pick);
    const kind = random() < 0.005 ? 'service' : 'task';
    const priority = random() < 0.8 ? 0 : pick([-2, -1, 1, 2, 5]);
    const id = `set-${seed}.${index}`;
    id.charCodeAt(0); // Made whole here, so that its bytes do not count as the scheduler's.
    return { id, kind, priority, demand, ticks: 1 + Math.floor(random() * 20) };
  });
}

function demandOf(share, random, pick) {
  if (share < 0.35) return { cores: 1, gpus: 0, memory: pick([null, GIB, 2 * GIB, 4 * GIB]) };
  if (share < 0.5) return { cores: pick([2, 4, 8, 16]), gpus: 0, memory: pick([8, 16, 32, 64]) * GIB };
  if (share < 0.7) return { cores: pick([1, 2, 4]), gpus: pick([0.1, 0.25, 0.5]), memory: 8 * GIB };
  if (share < 0.85) {
    const gpus = pick([1, 1, 2, 4]);
    return { cores: 8 * gpus, gpus, memory: 32 * gpus * GIB };
  }
  if (share < 0.9) return { cores: 64, gpus: 8, memory: null };
  if (share < 0.91) return { cores: 4, gpus: 1, memory: null, tags: [`group-${pick([1, 2, 3, 4])}`] };
  if (share < 0.915) return { cores: 1, gpus: 0, memory: null, near: [`group-${pick([1, 2, 3, 4])}`] };
  if (share < 0.92) return { cores: 2, gpus: 0, memory: null, tags: ['spread'], apart: ['spread'] };
  if (share < 0.935) return { cores: 1, gpus: 0, memory: GIB, slots: pick([16, 64, 128, 256]) };
  return { cores: 64, gpus: 8, memory: null, nodes: Math.round(2 ** (1 + 5 * random())) };
}
