import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Client, eventually, exitOf, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
beforeEach(async () => {
  place = await TestHome.make();
});
afterEach(() => place.close());

async function activePilot(client: Client): Promise<string> {
  const { id } = await client.pilots.submit({ description: { cores: 1, runtime: '10m' }, origin, key: newKey() });
  await eventually('ACTIVE', async () => (await client.pilots.get({ ref: id })).state === 'ACTIVE');
  return id;
}

/** Tasks that write their id, wait for a file, and end. */
async function startWork(client: Client, count: number): Promise<string[]> {
  const script = `echo "$PILOTHOUSE_TASK_ID" >> "${place.home}/ran"; while [ ! -e "${place.home}/go" ]; do sleep 0.05; done`;
  const tasks = await client.tasks.submit({
    tasks: Array.from({ length: count }, () => ({
      description: { command: ['sh', '-c', script], cores: 0 },
      key: newKey(),
    })),
    origin,
  });
  await eventually('all have written their id', async () => (await ran()).length === count);
  return tasks.map(({ id }) => id).sort();
}

async function ran(): Promise<string[]> {
  const text = await readFile(join(place.home, 'ran'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).sort();
}

/** Kills keeper, server and agent so that none of them can restore another. */
function killAttendants(): void {
  const attendants = place
    .processes()
    .filter(({ command }) => /warden\.py|pilot-agent\/lib\/main\.js/.test(command))
    .map(({ pid }) => pid);
  expect(attendants).toHaveLength(3);
  for (const pid of attendants) process.kill(pid, 'SIGSTOP');
  for (const pid of attendants) process.kill(pid, 'SIGKILL');
}

async function heardAgain(client: Client, pilot: string): Promise<void> {
  await eventually('contact lost', async () => (await client.pilots.get({ ref: pilot })).contact.lost);
  await eventually('heard of again', async () => !(await client.pilots.get({ ref: pilot })).contact.lost);
}

it('work whose keeper, server and agent were all killed is taken over, runs once, and says how it ended', async () => {
  const { client } = await place.serve();
  const pilot = await activePilot(client);
  const ids = await startWork(client, 5);
  killAttendants();
  await heardAgain(client, pilot);
  for (const id of ids) {
    await eventually(`${id} RUNNING`, async () => (await client.tasks.get({ ref: id })).state === 'RUNNING');
  }
  await writeFile(join(place.home, 'go'), '');
  for (const id of ids) {
    const ended = await eventually(`${id} ended`, async () => {
      const task = await client.tasks.get({ ref: id });
      return task.endedAt !== null && task;
    });
    // Only a newer kernel says how a process ended that was nobody's child any more.
    if (ended.state === 'FAILED') expect(ended.error).toMatchObject({ code: 'NODE_LOST' });
    else expect(ended).toMatchObject({ state: 'DONE', exitCode: 0 });
  }
  expect(await ran()).toEqual(ids);
  const [next] = await client.tasks.submit({
    tasks: [{ description: { command: ['true'] }, key: newKey() }],
    origin,
  });
  await eventually(
    'a new task is done',
    async () => (await client.tasks.get({ ref: next?.id ?? '' })).state === 'DONE',
  );
});

it('such a pilot ends with everything on it when it is told to, also by a bridge that comes later', async () => {
  const { client, child } = await place.serve();
  const pilot = await activePilot(client);
  const service = await client.services.start({
    description: {
      command: ['python3', '-m', 'http.server', '{port}', '--bind', '127.0.0.1'],
      probes: { readiness: { http: '/' } },
      allowUnauthenticated: true,
      pilot,
    },
    origin,
    key: newKey(),
  });
  await eventually('READY', async () => (await client.services.get({ ref: service.id })).state === 'READY');
  const server = place.processes().find(({ command }) => command.includes('http.server'));
  const ids = await startWork(client, 3);
  child.kill('SIGKILL');
  await exitOf(child);
  killAttendants();
  const second = await place.serve();
  await heardAgain(second.client, pilot);
  const kept = await eventually('READY again', async () => {
    const now = await second.client.services.get({ ref: service.id });
    return now.state === 'READY' && now.instances[0];
  });
  expect(kept).toMatchObject({ state: 'READY', attempt: 1 });
  expect(place.processes()).toContainEqual(server);
  await second.client.pilots.end({ ref: pilot });
  await eventually('DONE', async () => (await second.client.pilots.get({ ref: pilot })).state === 'DONE');
  for (const id of ids) expect(await second.client.tasks.get({ ref: id })).toMatchObject({ state: 'CANCELED' });
  await eventually('nothing of it is left', async () => place.processes().every(({ pid }) => pid === second.child.pid));
});

it('a file of it that somebody looks at does not keep a pilot that is gone', async () => {
  const { client } = await place.serve();
  const pilot = await activePilot(client);
  const { spawn } = await import('node:child_process');
  const reader = spawn('tail', ['-f', join(place.home, 'pilots', pilot, 'pilot.json')], { stdio: 'ignore' });
  try {
    killAttendants();
    await eventually('FAILED', async () => (await client.pilots.get({ ref: pilot })).state === 'FAILED');
  } finally {
    reader.kill('SIGKILL');
  }
});
