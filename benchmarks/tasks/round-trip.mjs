// From submitting one task to its DONE, one after the other, in milliseconds.

export async function roundTrips(session, pilot, count) {
  const samples = [];
  for (let number = 0; number < count; number += 1) {
    const start = performance.now();
    const task = await session.tasks.submit({ command: ['/bin/true'], pilot });
    await task.until('DONE', { timeout: '1m' });
    samples.push(performance.now() - start);
    task.close();
  }
  return samples;
}
