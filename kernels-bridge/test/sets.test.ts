import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskOutcome, TaskRow, TaskSetRecord } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, errorOf, eventually, exitOf, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
beforeEach(async () => {
  place = await TestHome.make();
});
afterEach(() => place.close());

type Description = Parameters<Client['sets']['open']>[0]['description'];
type Entry = Parameters<Client['sets']['add']>[0]['tasks'][number];

async function activePilot(client: Client, name: string, cores = 1): Promise<string> {
  const { id } = await client.pilots.submit({ description: { name, cores, runtime: '10m' }, origin, key: newKey() });
  await eventually('ACTIVE', async () => (await client.pilots.get({ ref: id })).state === 'ACTIVE');
  return id;
}

async function submit(client: Client, description: Description, tasks: Entry[]): Promise<TaskSetRecord> {
  const set = await client.sets.open({ description, origin, key: newKey() });
  await client.sets.add({ set: set.id, from: 0, tasks, close: true });
  return set;
}

async function outcomes(client: Client, set: string, from = 0): Promise<TaskOutcome[]> {
  const all: TaskOutcome[] = [];
  for await (const batch of await client.sets.results({ set, from })) {
    all.push(...batch.outcomes);
    if (batch.complete) break;
  }
  return all;
}

describe('a task set', () => {
  it('runs every task once and tells every outcome, in order of completion, from any number on', async () => {
    const { client } = await place.serve();
    await activePilot(client, 'one');
    const tasks = Array.from({ length: 40 }, (_, n) => ({ name: `w${n}`, command: ['sh', '-c', `exit ${n % 10}`] }));
    const set = await submit(client, { name: 'prep', template: { cores: 0, env: { A: '1' } } }, tasks);
    const all = await outcomes(client, set.id);
    expect(all.map(({ index }) => index)).toEqual(tasks.map((_, n) => n));
    expect(new Set(all.map(({ id }) => id))).toEqual(new Set(tasks.map((_, n) => `${set.id}.${n}`)));
    expect(all.every(({ number, exitCode, name }) => exitCode === number % 10 && name === `w${number}`)).toBe(true);
    expect((await outcomes(client, set.id, 25)).map(({ id }) => id)).toEqual(all.slice(25).map(({ id }) => id));
    const record = await client.sets.get({ ref: 'prep' });
    expect(record).toMatchObject({ state: 'FAILED', open: false, summary: 'sh -c exit 0' });
    expect(record.counts).toMatchObject({ total: 40, done: 4, failed: 36, waiting: 0, running: 0 });
    expect(record.failures).toHaveLength(10);
    expect((await client.tasks.get({ ref: 'prep.w3' })).id).toBe(`${set.id}.3`);
    expect(await client.tasks.get({ ref: `${set.id}.3` })).toMatchObject({
      set: set.id,
      name: 'w3',
      exitCode: 3,
      description: { cores: 0, env: { A: '1' }, command: ['sh', '-c', 'exit 3'] },
    });
  });

  it('is added to once, however often it is asked', async () => {
    const { client } = await place.serve();
    const key = newKey();
    const set = await client.sets.open({ description: { name: 'twice' }, origin, key });
    expect((await client.sets.open({ description: { name: 'twice' }, origin, key })).id).toBe(set.id);
    const tasks = [{ command: ['true'] }, { command: ['true'] }, { command: ['true'] }];
    await Promise.all([
      client.sets.add({ set: set.id, from: 0, tasks }),
      client.sets.add({ set: set.id, from: 0, tasks }),
      client.sets.add({ set: set.id, from: 2, tasks }),
    ]);
    expect((await client.sets.get({ ref: set.id })).counts.total).toBe(5);
    expect(await client.sets.add({ set: set.id, from: 3, tasks: tasks.slice(1), close: true })).toEqual({ total: 5 });
    expect(await client.sets.add({ set: set.id, from: 3, tasks: tasks.slice(1), close: true })).toEqual({ total: 5 });
    expect((await errorOf(client.sets.add({ set: set.id, from: 9, tasks }))).message).toMatch(/cannot come before/);
    expect((await errorOf(client.sets.add({ set: set.id, from: 5, tasks }))).message).toMatch(/takes no more/);
    const wrong = errorOf(client.sets.add({ set: set.id, from: 0, tasks: [{ command: ['x'], cores: 1.5 }] }));
    expect((await wrong).field).toBe('tasks.0.cores');
  });

  it('waits without a pilot, says so, and goes to the first that comes', async () => {
    const { client } = await place.serve();
    const set = await submit(client, { name: 'early' }, [{ command: ['true'] }, { command: ['true'] }]);
    const task = await client.tasks.get({ ref: `${set.id}.0` });
    expect(task).toMatchObject({
      state: 'NEW',
      pilot: null,
      reason: { code: 'WAITS_FOR_PILOT', text: 'no pilot; start one' },
    });
    expect((await client.sets.explain({ ref: set.id })).text).toMatch(/no pilot; start one/);
    const pilot = await activePilot(client, 'late');
    expect((await outcomes(client, set.id)).map(({ state }) => state)).toEqual(['DONE', 'DONE']);
    expect((await client.tasks.get({ ref: `${set.id}.1` })).pilot).toBe(pilot);
    const { spans, nodes } = await client.pilots.timeline({ ref: pilot });
    expect(nodes).toHaveLength(1);
    expect(spans.map(({ id }) => id).sort()).toEqual([`${set.id}.0`, `${set.id}.1`]);
  });

  it('takes over what an earlier one of its name has done, and nothing else', async () => {
    const { client, child } = await place.serve();
    await activePilot(client, 'one');
    const tasks = (last: string) => [
      { name: 'a', command: ['echo', 'a'] },
      { name: 'b', command: ['sh', '-c', `echo b; exit ${last}`] },
    ];
    const first = await submit(client, { name: 'prep', template: { cores: 0 } }, tasks('1'));
    await outcomes(client, first.id);
    child.kill('SIGKILL');
    await exitOf(child);
    const again = (await place.serve()).client;
    const second = await submit(again, { name: 'prep', template: { cores: 0 }, resume: true }, tasks('0'));
    await outcomes(again, second.id);
    expect(await again.sets.get({ ref: second.id })).toMatchObject({ state: 'DONE', counts: { done: 2, resumed: 1 } });
    const taken = await again.tasks.get({ ref: `${second.id}.0` });
    expect(taken).toMatchObject({ state: 'DONE', resumedFrom: `${first.id}.0`, exitCode: 0 });
    expect((await again.tasks.log({ ref: taken.id, stream: 'stdout' })).text).toBe('a\n');
    expect((await again.tasks.get({ ref: `${second.id}.1` })).resumedFrom).toBeNull();
  });

  it('repeats what failed as a new set, and is canceled as a whole', async () => {
    const { client } = await place.serve();
    await activePilot(client, 'one');
    const file = join(place.home, 'go');
    const set = await submit(client, { name: 'prep', template: { cores: 0 } }, [
      { name: 'ok', command: ['true'] },
      { name: 'bad', command: ['cat', file] },
      { name: 'after-bad', command: ['true'], after: ['bad'] },
    ]);
    const all = await outcomes(client, set.id);
    expect(Object.fromEntries(all.map(({ name, state, error }) => [name, error?.code ?? state]))).toEqual({
      ok: 'DONE',
      bad: 'TASK_FAILED',
      'after-bad': 'DEPENDENCY_FAILED',
    });
    await writeFile(file, 'x');
    const again = await client.sets.retryFailed({ ref: set.id, origin, key: newKey() });
    expect(again).toMatchObject({ retryOf: set.id, expected: 2 });
    expect((await outcomes(client, again.id)).map(({ name, state }) => [name, state])).toEqual([
      ['bad', 'DONE'],
      ['after-bad', 'DONE'],
    ]);
    expect((await client.tasks.get({ ref: `${again.id}.0` })).retryOf).toBe(`${set.id}.1`);
    const long = await submit(client, { name: 'long', template: { command: ['sleep', '60'] } }, Array(20).fill({}));
    await eventually('one runs', async () => (await client.sets.get({ ref: long.id })).counts.running > 0);
    await client.sets.cancel({ ref: long.id });
    expect((await outcomes(client, long.id)).every(({ state }) => state === 'CANCELED')).toBe(true);
    expect((await client.sets.get({ ref: long.id })).state).toBe('CANCELED');
  });

  it('is shared out among pilots, each task run by one of them', async () => {
    const { client } = await place.serve();
    const ran = join(place.home, 'ran');
    const both = [await activePilot(client, 'a'), await activePilot(client, 'b')];
    const command = ['sh', '-c', `echo "$PILOTHOUSE_TASK_ID" >> ${ran}; sleep 0.02`];
    const set = await submit(client, { name: 'shared', template: { command } }, Array(60).fill({}));
    const all = await outcomes(client, set.id);
    expect(all.every(({ state }) => state === 'DONE')).toBe(true);
    const ids = (await readFile(ran, 'utf8')).trim().split('\n');
    expect(ids.sort()).toEqual(all.map(({ id }) => id).sort());
    const pilots = await Promise.all(all.map(async ({ id }) => (await client.tasks.get({ ref: id })).pilot ?? ''));
    expect(new Set(pilots)).toEqual(new Set(both));
  });

  it('waits across pilots, and does not start what can no longer start', async () => {
    const { client } = await place.serve();
    const [a, b] = [await activePilot(client, 'a'), await activePilot(client, 'b')];
    const go = join(place.home, 'go');
    const wait = ['sh', '-c', `while [ ! -e ${go} ]; do sleep 0.02; done; exit 3`];
    const set = await submit(client, { name: 'chain', template: { cores: 0 } }, [
      { name: 'first', command: wait, pilot: a },
      { name: 'needs', command: ['true'], pilot: b, after: ['first'] },
      { name: 'clean', command: ['true'], pilot: b, after: [{ task: 'first', when: 'finished' }] },
    ]);
    await eventually('it waits', async () => (await client.tasks.get({ ref: `${set.id}.2` })).state === 'WAITING');
    await writeFile(go, '');
    const states = Object.fromEntries((await outcomes(client, set.id)).map(({ name, state }) => [name, state]));
    expect(states).toEqual({ first: 'FAILED', needs: 'FAILED', clean: 'DONE' });
  });

  it('is seen as rows: all there are, then what changes', async () => {
    const { client } = await place.serve();
    const set = await submit(client, { name: 'rows' }, Array(2500).fill({ command: ['true'] }));
    const rows = new Map<string, TaskRow>();
    const abort = new AbortController();
    const stream = await client.tasks.rows({ set: set.id }, { signal: abort.signal });
    for await (const batch of stream) {
      if (batch.reset) rows.clear();
      expect(batch.rows.length).toBeLessThanOrEqual(2000);
      for (const row of batch.rows) rows.set(row[0], row);
      if (!batch.more && rows.size === 2500 && [...rows.values()].every(([, , , state]) => state === 'CANCELED')) break;
      if (!batch.more && rows.size === 2500) await client.sets.cancel({ ref: set.id });
    }
    expect(rows.get(`${set.id}.7`)?.slice(0, 5)).toEqual([`${set.id}.7`, 'rows.7', set.id, 'CANCELED', null]);
  });
});
