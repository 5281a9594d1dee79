import { type IncomingMessage, request } from 'node:http';
import { newId, type WatchBatch } from '@pilothouse/sdk/internal';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, errorOf, eventually, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
let client: Client;
let pilot: string;
beforeAll(async () => {
  place = await TestHome.make();
  ({ client } = await place.serve());
  pilot = (await client.pilots.submit({ description: { runtime: '10m' }, origin, key: newKey() })).id;
  await eventually('ACTIVE', async () => (await client.pilots.get({ ref: pilot })).state === 'ACTIVE');
});
afterAll(() => place.close());

const run = (count: number) =>
  client.tasks.submit({
    tasks: Array.from({ length: count }, () => ({ description: { command: ['true'], cores: 0 }, key: newKey() })),
    origin,
  });

it('a watcher that grants nothing more gets as many batches as it gave credits, and the rest in one piece', async () => {
  const sub = newId('sub');
  const stream = await client.system.watch({ sub, credits: 2, kinds: ['task'] });
  const first = await stream.next();
  expect(first.value).toMatchObject({ reset: true });
  const tasks = await run(30);
  await stream.next();
  await eventually('all DONE', async () => {
    const all = await client.tasks.list({ all: true });
    return all.filter(({ state }) => state === 'DONE').length >= tasks.length;
  });
  const third = stream.next();
  expect(
    await Promise.race([
      third.then(() => 'came'),
      client.system.hello({ protocol: 1, version: '', client: '' }).then(() => 'nothing'),
    ]),
  ).toBe('nothing');
  await client.system.grant({ sub, credits: 8 });
  // Conflated: one batch holds the last state of every task, not each state each had.
  const last = await third;
  expect((last.value as WatchBatch).tasks.filter(({ state }) => state === 'DONE').length).toBeGreaterThan(0);
  await stream.return?.();
});

it('two streams of one name on one connection are refused', async () => {
  const sub = newId('sub');
  const stream = await client.system.watch({ sub, credits: 1 });
  await stream.next();
  const second = await client.system.watch({ sub, credits: 1 });
  expect(await errorOf(second.next())).toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'sub' });
  await stream.return?.();
});

it('goes on after a point: nothing of before comes again', async () => {
  const all = await client.system.watch({ kinds: ['task'] });
  const { value } = await all.next();
  const { epoch, seq } = value as WatchBatch;
  await all.return?.();
  const [task] = await run(1);
  const rest = await client.system.watch({ kinds: ['task'], after: { epoch, seq } });
  const next = (await rest.next()).value as WatchBatch;
  expect(next.reset).toBe(false);
  expect(next.tasks.map(({ id }) => id)).toEqual([task?.id]);
  await rest.return?.();
});

it('over HTTP comes as server-sent events, the first at once, and ends with the connection', async () => {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const call = request(
      {
        socketPath: place.socket,
        path: '/api/v1/system/watch',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      resolve,
    );
    call.once('error', reject);
    call.end(JSON.stringify({ kinds: ['pilot'] }));
  });
  expect(answer.headers['content-type']).toBe('text/event-stream');
  let text = '';
  for await (const data of answer) {
    text += String(data);
    if (text.includes(pilot)) break;
  }
  expect(text).toMatch(/event: message\ndata: \{/);
  expect((await client.system.hello({ protocol: 1, version: '', client: '' })).home).toBe(place.home);
});

it('a task’s output is read while it runs and after its end, by byte offset', async () => {
  const script = 'printf "one\\n"; while [ ! -e "$0" ]; do sleep 0.02; done; printf "två\\n"; printf "oops" >&2';
  const [task] = await client.tasks.submit({
    tasks: [{ description: { command: ['sh', '-c', script, `${place.home}/go-on`], cores: 0 }, key: newKey() }],
    origin,
  });
  const ref = task?.id ?? '';
  const live = await eventually('the first line', async () => {
    const chunk = await client.tasks.log({ ref, stream: 'stdout' });
    return chunk.text !== '' && chunk;
  });
  expect(live).toMatchObject({ text: 'one\n', next: 4, complete: false });
  const { writeFile } = await import('node:fs/promises');
  await writeFile(`${place.home}/go-on`, '');
  const rest = await eventually('the end', async () => {
    const chunk = await client.tasks.log({ ref, stream: 'stdout', offset: 4 });
    return chunk.complete && chunk;
  });
  expect(rest).toEqual({ text: 'två\n', offset: 4, next: 9, size: 9, complete: true });
  expect((await client.tasks.log({ ref, stream: 'stdout', offset: -5 })).text).toBe('två\n');
  expect((await client.tasks.log({ ref, stream: 'stderr' })).text).toBe('oops');
});

it('a task sees the caller’s PATH and folder, and nothing of Jupyter or the bridge', async () => {
  const [task] = await client.tasks.submit({
    tasks: [{ description: { command: ['sh', '-c', 'pwd; env; umask'], env: { OWN: 'yes' } }, key: newKey() }],
    origin: { ...origin, cwd: '/usr', env: { PATH: '/usr/bin:/bin', VIRTUAL_ENV: '/opt/venv' } },
  });
  const ref = task?.id ?? '';
  await eventually('DONE', async () => (await client.tasks.get({ ref })).state === 'DONE');
  const { text } = await client.tasks.log({ ref, stream: 'stdout' });
  expect(text.split('\n')[0]).toBe('/usr');
  expect(text).toContain('PATH=/usr/bin:/bin\n');
  expect(text).toContain('VIRTUAL_ENV=/opt/venv\n');
  expect(text).toContain('OWN=yes\n');
  expect(text).not.toMatch(/JUPYTER|JPY|TEST_SECRET|VITEST|KEY/);
  // Files that a task makes have the mode that the user's own would have, although ours are private.
  expect(text.trimEnd().split('\n').at(-1)).toBe(process.umask().toString(8).padStart(4, '0'));
});

it('cancel ends a task with everything it started', async () => {
  const [task] = await client.tasks.submit({
    tasks: [{ description: { command: ['sh', '-c', 'sh -c "sleep 1000" & wait'], cores: 0 }, key: newKey() }],
    origin,
  });
  const ref = task?.id ?? '';
  await eventually('RUNNING', async () => (await client.tasks.get({ ref })).state === 'RUNNING');
  await client.tasks.cancel({ ref });
  const ended = await eventually('the end', async () => {
    const now = await client.tasks.get({ ref });
    return now.endedAt !== null && now;
  });
  expect(ended.state).toBe('CANCELED');
  expect(place.processes().filter(({ command }) => command.includes('sleep 1000'))).toEqual([]);
  // What has ended can be taken off the lists, what lives cannot.
  await client.system.forget({ kind: 'task', id: ref });
  expect(await errorOf(client.tasks.get({ ref }))).toMatchObject({ code: 'TASK_NOT_FOUND' });
  expect(await errorOf(client.system.forget({ kind: 'pilot', id: pilot }))).toMatchObject({
    code: 'INVALID_DESCRIPTION',
  });
});
