import { appendFile, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskRecord } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, eventually, exitOf, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
beforeEach(async () => {
  place = await TestHome.make();
});
afterEach(() => place.close());

async function activePilot(client: Client, cores = 1): Promise<string> {
  const { id } = await client.pilots.submit({ description: { cores, runtime: '10m' }, origin, key: newKey() });
  await eventually('ACTIVE', async () => (await client.pilots.get({ ref: id })).state === 'ACTIVE');
  return id;
}

/** Twenty tasks that take no core, so that all run at once; each writes its id and waits for a file. */
function waitingTasks(count = 20) {
  const script = `echo "$PILOTHOUSE_TASK_ID" >> "${place.home}/ran"; while [ ! -e "${place.home}/go" ]; do sleep 0.05; done`;
  return Array.from({ length: count }, () => ({
    description: { command: ['sh', '-c', script], cores: 0 },
    key: newKey(),
  }));
}

async function allDone(client: Client, tasks: readonly TaskRecord[]): Promise<TaskRecord[]> {
  return eventually('all ended', async () => {
    const now = await Promise.all(tasks.map(({ id }) => client.tasks.get({ ref: id })));
    return now.every(({ endedAt }) => endedAt !== null) && now;
  });
}

/** Kills what runs for pilots, all of it at once; says how much there was. Wardens bring each other back: call it again. */
function killPilots(): number {
  const left = place.processes().filter(({ command }) => !command.includes('kernels-bridge'));
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
  return left.length;
}

async function idsThatRan(): Promise<string[]> {
  return (await readFile(join(place.home, 'ran'), 'utf8')).trim().split('\n').sort();
}

describe('a bridge killed with twenty tasks running', () => {
  it('finds each in its right state, each run once', async () => {
    const { client, child } = await place.serve();
    await activePilot(client);
    const tasks = await client.tasks.submit({ tasks: waitingTasks(), origin });
    await eventually('all RUNNING', async () => {
      const live = await client.tasks.list({});
      return live.filter(({ state }) => state === 'RUNNING').length === 20;
    });
    child.kill('SIGKILL');
    await exitOf(child);
    await writeFile(join(place.home, 'go'), '');
    const second = await place.serve();
    const ended = await allDone(second.client, tasks);
    expect(ended.map(({ state }) => state)).toEqual(Array(20).fill('DONE'));
    expect(await idsThatRan()).toEqual(tasks.map(({ id }) => id).sort());
  });

  it('sees what ended while there was no bridge, from the cache or without it', async () => {
    const { client, child } = await place.serve();
    const pilot = await activePilot(client);
    const tasks = await client.tasks.submit({ tasks: waitingTasks(), origin });
    child.kill('SIGKILL');
    await exitOf(child);
    await writeFile(join(place.home, 'go'), '');
    await eventually('the journal has all ends', async () => {
      const records = await place.records(`pilots/${pilot}/journal/1.jsonl`);
      return records.filter(({ type, state }) => type === 'task' && state === 'DONE').length === 20;
    });
    await rm(join(place.runtimeDir, 'cache.sqlite'));
    const second = await place.serve();
    expect(
      (await allDone(second.client, tasks)).every(({ state, exitCode }) => state === 'DONE' && exitCode === 0),
    ).toBe(true);
    second.child.kill('SIGKILL');
    await exitOf(second.child);
    const third = await place.serve();
    expect((await third.client.tasks.list({ all: true })).length).toBe(20);
    expect((await idsThatRan()).length).toBe(20);
  });
});

it('a pilot whose bridge ended before it started works its spool off', async () => {
  const { client, child } = await place.serve();
  const { id } = await client.pilots.submit({ description: { cores: 1, runtime: '10m' }, origin, key: newKey() });
  const tasks = await client.tasks.submit({
    tasks: Array.from({ length: 20 }, () => ({ description: { command: ['true'] }, key: newKey() })),
    origin,
  });
  child.kill('SIGKILL');
  await exitOf(child);
  await eventually('20 ends in the journal', async () => {
    const records = await place.records(`pilots/${id}/journal/1.jsonl`).catch(() => []);
    return records.filter(({ type, state }) => type === 'task' && state === 'DONE').length === 20;
  });
  const second = await place.serve();
  expect((await allDone(second.client, tasks)).every(({ state }) => state === 'DONE')).toBe(true);
});

describe('a submit', () => {
  it('repeated under its key gives the same thing back, also after a restart', async () => {
    const { client, child } = await place.serve();
    const key = newKey();
    const description = { runtime: '10m' };
    const [a, b] = await Promise.all([
      client.pilots.submit({ description, origin, key }),
      client.pilots.submit({ description, origin, key }),
    ]);
    expect(a.id).toBe(b.id);
    const task = { description: { command: ['true'] }, key: newKey() };
    const [[first], [second]] = await Promise.all([
      client.tasks.submit({ tasks: [task], origin }),
      client.tasks.submit({ tasks: [task], origin }),
    ]);
    expect(first?.id).toBe(second?.id);
    child.kill('SIGKILL');
    await exitOf(child);
    const again = await place.serve();
    expect((await again.client.pilots.submit({ description, origin, key })).id).toBe(a.id);
    expect((await again.client.tasks.submit({ tasks: [task], origin })).map(({ id }) => id)).toEqual([first?.id]);
    expect(await again.client.tasks.list({ all: true })).toHaveLength(1);
  });

  it('that reached the log and not the spool runs after the restart', async () => {
    const { client, child } = await place.serve();
    const pilot = await activePilot(client);
    const [task] = await client.tasks.submit({ tasks: waitingTasks(1), origin });
    // As if the bridge had been killed between the two writes: the agent has not seen it, the log has.
    child.kill('SIGKILL');
    await exitOf(child);
    await eventually('nothing of the pilot left', async () => killPilots() === 0);
    // What its warden remembers of having started goes too.
    await rm(join(place.runtimeDir, 'w'), { recursive: true });
    for (const folder of ['journal', 'spool']) {
      await truncate(join(place.home, 'pilots', pilot, folder, '1.jsonl'), 0);
    }
    await rm(join(place.home, 'ran'), { force: true });
    await rm(join(place.home, 'pilots', pilot, 'engine.json'));
    await rm(join(place.runtimeDir, 'cache.sqlite'));
    await writeFile(join(place.home, 'go'), '');
    const second = await place.serve();
    const [ended] = await allDone(second.client, task === undefined ? [] : [task]);
    expect(ended).toMatchObject({ id: task?.id, state: 'DONE' });
  });
});

describe('logs', () => {
  it('with a torn last line are read without it, and go on', async () => {
    const { client, child } = await place.serve();
    const id = await activePilot(client);
    child.kill('SIGKILL');
    await exitOf(child);
    await rm(join(place.runtimeDir, 'cache.sqlite'));
    await appendFile(join(place.home, 'log', '1.jsonl'), '{"seq":99,"epoch":1,"t":"2026-');
    const second = await place.serve();
    expect((await second.client.pilots.get({ ref: id })).id).toBe(id);
  });

  it('with a bad line elsewhere stop the start, naming file and line', async () => {
    const { client, child } = await place.serve();
    await activePilot(client);
    child.kill('SIGKILL');
    await exitOf(child);
    await rm(join(place.runtimeDir, 'cache.sqlite'));
    const file = join(place.home, 'log', '1.jsonl');
    const lines = (await readFile(file, 'utf8')).split('\n');
    lines.splice(1, 0, '{"not":"a record"}');
    await writeFile(file, lines.join('\n'));
    const broken = place.start();
    expect(await exitOf(broken)).toBe(1);
    expect(place.output).toContain(`LOG_DAMAGED: ${file}, line 2, is not a record`);
    expect(place.output).toContain(`Look at line 2 of ${file}`);
  });

  it('are not needed for what the cache holds, also when that was read from them', async () => {
    const { client, child } = await place.serve();
    const id = await activePilot(client);
    const tasks = await client.tasks.submit({
      tasks: [{ description: { command: ['true'] }, key: newKey() }],
      origin,
    });
    await allDone(client, tasks);
    child.kill('SIGKILL');
    await exitOf(child);
    await rm(join(place.runtimeDir, 'cache.sqlite'));
    const second = await place.serve();
    second.child.kill('SIGTERM');
    await exitOf(second.child);
    await rm(join(place.home, 'log', '1.jsonl'));
    const { client: third } = await place.serve();
    expect((await third.pilots.get({ ref: id })).state).toBe('ACTIVE');
    expect(await third.tasks.list({ all: true })).toMatchObject([{ id: tasks[0]?.id, state: 'DONE' }]);
  });

  it('are read instead of a cache that is damaged', async () => {
    const { client, child } = await place.serve();
    const id = await activePilot(client);
    child.kill('SIGKILL');
    await exitOf(child);
    const cache = join(place.runtimeDir, 'cache.sqlite');
    await rm(`${cache}-wal`, { force: true });
    await writeFile(cache, 'this is no database, whatever it was before');
    const second = await place.serve();
    expect((await second.client.pilots.get({ ref: id })).state).toBe('ACTIVE');
    expect((await stat(cache)).size).toBeGreaterThan(100);
  });
});

it('a pilot of which nothing runs any more fails with what is known, and its tasks with it', async () => {
  const { client } = await place.serve();
  const pilot = await activePilot(client);
  const [task] = await client.tasks.submit({ tasks: waitingTasks(1), origin });
  await eventually('RUNNING', async () => (await client.tasks.get({ ref: task?.id ?? '' })).state === 'RUNNING');
  await eventually('nothing of it left', async () => killPilots() === 0);
  const lost = await eventually('FAILED', async () => {
    const now = await client.pilots.get({ ref: pilot });
    return now.endedAt !== null && now;
  });
  expect(lost).toMatchObject({ state: 'FAILED', error: { code: 'NODE_LOST', retryable: true } });
  expect(lost.error?.evidence).toContain('no process on');
  expect(await client.tasks.get({ ref: task?.id ?? '' })).toMatchObject({
    state: 'FAILED',
    error: { code: 'NODE_LOST' },
  });
  // What it held is free again.
  expect((await client.engines.list({}))[0]?.held.cores).toBe(0);
});

it('a pilot that does not fit waits, says for what, and starts when there is room', async () => {
  const { client } = await place.serve();
  const [{ limits } = { limits: { cores: 1 } }] = await client.engines.list({});
  const { cores } = limits;
  const first = await client.pilots.ensure({
    name: 'demo',
    description: { cores, runtime: '10m' },
    origin,
    key: newKey(),
  });
  await eventually('ACTIVE', async () => (await client.pilots.get({ ref: 'demo' })).state === 'ACTIVE');
  const second = await client.pilots.submit({ description: { cores, runtime: '10m' }, origin, key: newKey() });
  const queued = await eventually('QUEUED', async () => {
    const now = await client.pilots.get({ ref: second.id });
    return now.state === 'QUEUED' && now.reason?.text.includes('until') && now;
  });
  expect(queued.reason?.text).toMatch(
    new RegExp(`^waits for ${cores} cores?; demo holds ${cores} of ${cores} until \\d\\d:\\d\\d$`),
  );
  await client.pilots.end({ ref: first.id });
  await eventually('the second ACTIVE', async () => (await client.pilots.get({ ref: second.id })).state === 'ACTIVE');
});

it('what waits on a pilot that has not started is canceled and stopped at once', async () => {
  const { client } = await place.serve();
  const [{ limits } = { limits: { cores: 1 } }] = await client.engines.list({});
  await activePilot(client, limits.cores);
  const { id } = await client.pilots.submit({ description: { cores: limits.cores }, origin, key: newKey() });
  const [task] = await client.tasks.submit({
    tasks: [{ description: { command: ['true'], pilot: id }, key: newKey() }],
    origin,
  });
  expect(await client.tasks.explain({ ref: task?.id ?? '' })).toMatchObject({
    text: expect.stringMatching(/^waits for pilot "pilot-2", which is QUEUED: waits for \d+ cores?; pilot holds/),
  });
  expect(await client.tasks.cancel({ ref: task?.id ?? '' })).toMatchObject({ state: 'CANCELED' });
  const service = await client.services.start({
    description: { command: ['sleep', '1000'], allowUnauthenticated: true, pilot: id },
    origin,
    key: newKey(),
  });
  expect(await client.services.stop({ ref: service.id })).toMatchObject({
    state: 'STOPPED',
    instances: [{ state: 'STOPPED' }],
  });
  expect(await client.pilots.end({ ref: id })).toMatchObject({ state: 'CANCELED' });
});
