// Tasks per second, beside the limit of starting processes in the same moment.
const TRUE = { command: ['/bin/true'], cores: 0 };

/** From submitting a set of `/bin/true` to the word that all of it is DONE: tasks per second. */
async function tasksPerSecond(session, pilot, count) {
  const start = performance.now();
  const set = await session.tasks.submitMany(
    Array.from({ length: count }, () => ({})),
    { pilot, template: TRUE },
  );
  await set.until('DONE', { timeout: '5m' });
  return count / ((performance.now() - start) / 1000);
}

/**
 * Ours and the limit by turns, so that both see the same machine.
 *
 * @returns per repeat `{ tasks, limit }` per second
 */
export async function throughput(session, pilot, limit, { repeats, count, inFlight }) {
  await tasksPerSecond(session, pilot, 200);
  const samples = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const before = await limit(count, inFlight);
    const tasks = await tasksPerSecond(session, pilot, count);
    const after = await limit(count, inFlight);
    samples.push({ tasks, limit: (before + after) / 2 });
  }
  return samples;
}
