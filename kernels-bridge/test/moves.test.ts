import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Client, eventually, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
beforeEach(async () => {
  place = await TestHome.make();
});
afterEach(() => place.close());

async function pilot(client: Client, name: string): Promise<string> {
  const { id } = await client.pilots.submit({ description: { name, cores: 1, runtime: '10m' }, origin, key: newKey() });
  return id;
}

it('what a lost pilot has not started goes to the next; what was asked for there ends with it', async () => {
  const { client } = await place.serve();
  const first = await pilot(client, 'first');
  await eventually('ACTIVE', async () => (await client.pilots.get({ ref: first })).state === 'ACTIVE');
  await client.pilots.suspend({ ref: first });
  await eventually('suspended', async () => (await client.pilots.get({ ref: first })).suspended);
  const submit = (command: string[], on?: string) => ({
    description: { command, ...(on === undefined ? {} : { pilot: on }) },
    key: newKey(),
  });
  const [free, bound] = await client.tasks.submit({
    tasks: [submit(['echo', 'here']), submit(['true'], first)],
    origin,
  });
  // Killed again and again, since its processes bring each other back.
  const gone = await eventually('the pilot is written off', async () => {
    for (const { pid, command } of place.processes()) {
      if (command.includes('kernels-bridge')) continue;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself meanwhile.
      }
    }
    const record = await client.pilots.get({ ref: first });
    return record.endedAt !== null && record;
  });
  expect(gone.state).toBe('FAILED');
  expect(await client.tasks.get({ ref: bound?.id ?? '' })).toMatchObject({
    state: 'FAILED',
    error: { code: 'NODE_LOST' },
  });
  const waiting = await eventually('it waits for a pilot', async () => {
    const task = await client.tasks.get({ ref: free?.id ?? '' });
    return task.pilot === null && task;
  });
  expect(waiting.reason?.text).toBe('no pilot; start one');
  const second = await pilot(client, 'second');
  const done = await eventually('it runs there', async () => {
    const task = await client.tasks.get({ ref: free?.id ?? '' });
    return task.endedAt !== null && task;
  });
  expect(done).toMatchObject({ state: 'DONE', pilot: second, attempt: 1 });
});
