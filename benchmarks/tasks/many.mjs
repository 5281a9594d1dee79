// 100,000 distinct descriptions: how long until they are durable, and what the bridge holds for each.
import { rssMib } from '../lib/proc.mjs';

const COUNT = 100_000;
const SETTLE_SECONDS = 60;

const describe = (number) => ({
  name: `well-${number}`,
  command: ['python', 'prep.py', '--well', `A${number}`, '--seed', String(number * 7919)],
  cores: 1 + (number % 2),
  expectedDuration: `${60 + (number % 600)}s`,
});

/**
 * Another task holds all cores of the pilot, so that what is measured is the submission.
 *
 * @returns `{ seconds, bytesPerTask }`
 */
export async function submitMany(session, pilot, cores, bridgePid) {
  const holder = await session.tasks.submit({ command: ['sleep', '3600'], cores, pilot });
  await holder.until('RUNNING', { timeout: '1m' });
  const before = rssMib(bridgePid);
  const descriptions = Array.from({ length: COUNT }, (_, number) => describe(number));
  const start = performance.now();
  const set = await session.tasks.submitMany(descriptions, { name: 'many', pilot });
  const seconds = (performance.now() - start) / 1000;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_SECONDS * 1000));
  const bytesPerTask = ((rssMib(bridgePid) - before) * 1024 * 1024) / COUNT;
  await set.cancel({ timeout: '2m' });
  await set.done({ timeout: '5m' });
  await holder.cancel();
  return { seconds, bytesPerTask };
}
