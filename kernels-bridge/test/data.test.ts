import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { TaskDescription, TaskRecord } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, errorOf, eventually, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
let client: Client;
let work: string;
let pilot: string;

const DAY = 24 * 3600;

beforeEach(async () => {
  place = await TestHome.make();
  work = join(place.home, 'notebooks');
  await mkdir(work);
});
afterEach(() => place.close());

async function begin(env: Record<string, string> = {}): Promise<void> {
  ({ client } = await place.serve(env));
  const description = { name: 'data', cores: 2, runtime: '10m' };
  pilot = (await client.pilots.submit({ description, origin: { ...origin, cwd: work }, key: newKey() })).id;
}

async function submit(description: TaskDescription): Promise<TaskRecord> {
  const key = newKey();
  const [task] = await client.tasks.submit({ tasks: [{ description, key }], origin: { ...origin, cwd: work } });
  if (task === undefined) throw new Error('no task was made');
  return task;
}

const shell = (script: string): string[] => ['sh', '-c', script];

async function run(description: TaskDescription): Promise<TaskRecord> {
  const { id } = await submit(description);
  return ended(id);
}

const ended = (id: string): Promise<TaskRecord> =>
  eventually(`the end of ${id}`, async () => {
    const task = await client.tasks.get({ ref: id });
    return task.endedAt === null ? null : task;
  });

async function text(ref: string, path: string): Promise<string> {
  const { data } = await client.tasks.output({ ref, path });
  return Buffer.from(data, 'base64').toString();
}

describe('data of tasks', () => {
  it('is staged in and out, and reached by the paths that the task knows', async () => {
    await begin();
    await writeFile(join(work, 'reads.txt'), 'ACGT');
    const task = await run({
      command: shell('mkdir out; wc -c < reads.txt > out/count.txt; echo log > run.log; echo kept > out/kept.dat'),
      sandbox: true,
      stageIn: [{ from: 'reads.txt' }],
      stageOut: [
        { from: 'out/*.txt', to: 'results/', action: 'move', checksum: 'sha256' },
        { from: 'run.log', to: 'logs/' },
      ],
    });
    expect(task).toMatchObject({ state: 'DONE', error: null });
    expect(task.staging).toMatchObject([
      { direction: 'in', state: 'DONE', action: 'link', bytes: 0 },
      { direction: 'out', state: 'DONE', action: 'move', files: 1, path: join(work, 'results') },
      { direction: 'out', state: 'DONE', action: 'link', files: 1, path: join(work, 'logs/run.log') },
    ]);
    expect((await readFile(join(work, 'results/count.txt'), 'utf8')).trim()).toBe('4');
    const files = await client.tasks.files({ ref: task.id });
    expect(files.map(({ path }) => path).sort()).toEqual(['out', 'out/count.txt', 'out/kept.dat', 'run.log']);
    expect((await text(task.id, 'out/count.txt')).trim()).toBe('4');
    expect(await text(task.id, 'run.log')).toBe('log\n');
    for (const path of ['../../pilot.json', '/etc/passwd', 'out/../../x']) {
      expect(await errorOf(client.tasks.output({ ref: task.id, path }))).toMatchObject({ code: 'UNSAFE_PATH' });
    }
    expect(await errorOf(client.tasks.output({ ref: task.id, path: 'none' }))).toMatchObject({
      code: 'DATA_NOT_FOUND',
    });
  });

  it('is seen while the task runs, only what it names where its folder is shared, and never more than the limit', async () => {
    await begin({ PILOTHOUSE_FILE_LIMIT: '1KiB' });
    await writeFile(join(work, 'yours.txt'), 'not the task’s');
    const script =
      'echo so far > part.csv; head -c 2000 /dev/zero > big.csv; ln -s /etc/passwd out.csv; while [ ! -e go ]; do sleep 0.05; done';
    const { id } = await submit({ command: shell(script), stageOut: [{ from: '*.csv', to: 'csv/' }] });
    await eventually('the link', () => stat(join(work, 'out.csv')).catch(() => null));
    expect((await client.tasks.files({ ref: id })).map(({ path }) => path).sort()).toEqual(['big.csv', 'part.csv']);
    expect(await text(id, 'part.csv')).toBe('so far\n');
    const tooLarge = await errorOf(client.tasks.output({ ref: id, path: 'big.csv' }));
    expect(tooLarge).toMatchObject({ code: 'FILE_TOO_LARGE', evidence: join(work, 'big.csv') });
    expect(await errorOf(client.tasks.output({ ref: id, path: 'out.csv' }))).toMatchObject({ code: 'UNSAFE_PATH' });
    await rm(join(work, 'out.csv'));
    await writeFile(join(work, 'go'), '');
    expect(await ended(id)).toMatchObject({ state: 'DONE' });
    expect((await readdir(join(work, 'csv'))).sort()).toEqual(['big.csv', 'part.csv']);
  });

  it('tells how far it is while it is on the way, and why the task waits', async () => {
    await begin();
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': 3000 });
      response.write(Buffer.alloc(1024));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      const from = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/model.bin`;
      const { id } = await submit({ command: ['true'], stageIn: [{ from }] });
      const report = await eventually('bytes', async () => {
        const [first] = (await client.tasks.get({ ref: id })).staging ?? [];
        return first?.bytes === 1024 ? first : null;
      });
      expect(report).toMatchObject({ direction: 'in', from, action: 'transfer', state: 'ACTIVE', total: 3000 });
      const { text: why, evidence } = await client.tasks.explain({ ref: id });
      expect(why).toContain(`brings its data in: ${from} → ./, 1 KiB of 2.9 KiB`);
      expect(evidence).toHaveLength(1);
      await client.tasks.cancel({ ref: id });
      expect(await ended(id)).toMatchObject({ state: 'CANCELED' });
      expect(await readdir(work)).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('that is not there fails the task before it starts, with what to do', async () => {
    await begin();
    const task = await run({ command: ['true'], stageIn: [{ from: 'reads.txt' }, { from: 'read.txt' }] });
    expect(task).toMatchObject({
      state: 'FAILED',
      error: { code: 'DATA_NOT_FOUND', field: 'stageIn.0' },
      exitCode: null,
    });
    expect(task.staging?.[0]).toMatchObject({ state: 'FAILED' });
    expect((await client.tasks.explain({ ref: task.id })).text).toContain(join(work, 'reads.txt'));
    await symlink('/nowhere', join(work, 'results'));
    const out = await run({ command: shell('echo x > x'), sandbox: true, stageOut: [{ from: 'x', to: 'results/' }] });
    expect(out).toMatchObject({ state: 'FAILED' });
    expect(out.error?.hint).toBeTruthy();
  });
});

describe('logs', () => {
  it('are followed from any offset, while a task runs and when it has ended', async () => {
    await begin();
    const { id } = await submit({
      command: shell('echo one; printf "tw\\303"; while [ ! -e go ]; do sleep 0.05; done; printf "\\266\\n"'),
    });
    const read = (offset: number) => client.tasks.log({ ref: id, stream: 'stdout', offset });
    const live = await eventually('output', async () => ((await read(0)).size >= 7 ? read(0) : null));
    // The character that is not whole yet comes with the rest.
    expect(live).toMatchObject({ text: 'one\ntw', next: 6, complete: false });
    await writeFile(join(work, 'go'), '');
    await ended(id);
    expect(await read(live.next)).toMatchObject({ text: 'ö\n', offset: 6, next: 9, complete: true });
    expect(await read(-3)).toMatchObject({ text: 'ö\n', complete: true });
    expect(await read(1000)).toMatchObject({ text: '', next: 9, complete: true });
  });
});

describe('retention', () => {
  const list = async (path: string): Promise<string[]> =>
    (await readdir(join(place.home, path)).catch(() => [])).sort();

  it('removes the oldest of what is over first, and nothing that lives', async () => {
    await begin({ PILOTHOUSE_KEEP_SIZE: '300KiB' });
    const folders: string[] = [];
    for (const kib of [200, 150, 100]) {
      const { id } = await run({ command: shell(`head -c ${kib * 1024} /dev/urandom > data`), sandbox: true });
      folders.push(id);
    }
    const { id: running } = await submit({ command: shell('echo x > data; exec sleep 60'), sandbox: true });
    await eventually('its file', () =>
      stat(join(place.home, 'pilots', pilot, 'sandboxes', running, 'data')).catch(() => null),
    );
    const plan = await client.system.clean({ dryRun: true });
    expect(plan.removed.map(({ path }) => path)).toEqual([
      join(place.home, 'pilots', pilot, 'sandboxes', folders[0] ?? ''),
    ]);
    expect(await list(`pilots/${pilot}/sandboxes`)).toEqual([...folders, running].sort());
    const done = await client.system.clean({ dryRun: false });
    expect(done).toEqual(plan);
    expect(await list(`pilots/${pilot}/sandboxes`)).toEqual([...folders.slice(1), running].sort());
    expect((await client.system.clean({})).removed).toEqual([]);
    expect(await errorOf(client.tasks.output({ ref: folders[0] ?? '', path: 'data' }))).toMatchObject({
      code: 'DATA_NOT_FOUND',
    });
  });

  it('forgets an ended pilot with everything on it for good, also when the picture is made again from the logs', async () => {
    await begin();
    const task = await run({ command: ['echo', 'hello'] });
    await client.pilots.end({ ref: pilot });
    await eventually('the end of the pilot', async () => (await client.pilots.get({ ref: pilot })).endedAt);
    expect((await client.system.clean({})).removed).toEqual([]);
    const { child } = { child: place };
    await client.system.stop({});
    await eventually('its end', async () => child.processes().length === 0);
    // Another second, and it is older than what is kept.
    ({ client } = await place.serve({ PILOTHOUSE_KEEP_AGE: '1ms' }));
    const { removed } = await client.system.clean({});
    expect(removed.map(({ why }) => why).join('\n')).toContain('pilot "data"');
    expect(await list('pilots')).toEqual([]);
    expect(await client.tasks.list({ all: true })).toEqual([]);
    expect(await errorOf(client.tasks.get({ ref: task.id }))).toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect(await list('log')).toEqual(['2.jsonl']);
    await client.system.stop({});
    await eventually('its end', async () => place.processes().length === 0);
    await rm(join(place.runtimeDir, 'cache.sqlite'), { force: true });
    ({ client } = await place.serve());
    expect(await client.pilots.list({ all: true })).toEqual([]);
    expect(await client.tasks.list({ all: true })).toEqual([]);
  });

  it('keeps what a set can be resumed from, for its age; then all pilots of it go together', async () => {
    await begin({ PILOTHOUSE_KEEP_FILES: '1' });
    const set = async (): Promise<void> => {
      const { id } = await client.sets.open({
        description: { name: 'prep', resume: true },
        origin: { ...origin, cwd: work },
        key: newKey(),
      });
      const tasks = ['a', 'b'].map((name) => ({ name, command: ['echo', name] }));
      await client.sets.add({ set: id, from: 0, tasks, close: true });
      await eventually('the end of the set', async () => (await client.sets.get({ ref: id })).endedAt);
    };
    const end = async (): Promise<void> => {
      await client.pilots.end({ ref: pilot });
      await eventually('the end of the pilot', async () => (await client.pilots.get({ ref: pilot })).endedAt);
    };
    await set();
    await end();
    // Its logs go, since there are too many files; what says which task is DONE does not.
    expect((await client.system.clean({})).removed.map(({ why }) => why.split(':')[0])).toEqual([
      'logs on pilot "data"',
    ]);
    const description = { name: 'second', cores: 1, runtime: '10m' };
    pilot = (await client.pilots.submit({ description, origin: { ...origin, cwd: work }, key: newKey() })).id;
    await set();
    const [, latest] = await client.sets.list({ all: true });
    expect(latest?.counts).toMatchObject({ done: 2, resumed: 2 });
    await end();
    await client.system.clean({});
    expect(await list('pilots')).toHaveLength(1);
    await client.system.stop({});
    await eventually('its end', async () => place.processes().length === 0);
    ({ client } = await place.serve({ PILOTHOUSE_KEEP_AGE: '1ms' }));
    await client.system.clean({});
    expect(await list('pilots')).toEqual([]);
    expect(await client.sets.list({ all: true })).toEqual([]);
  });

  it('keeps values that live tasks name, however old', async () => {
    await begin({ PILOTHOUSE_KEEP_AGE: '1d' });
    await mkdir(join(place.home, 'values'), { mode: 0o700 });
    const old = Date.now() / 1000 - 5 * DAY;
    for (const name of ['args-1.json', 'args-2.json']) {
      await writeFile(join(place.home, 'values', name), '[]');
      await utimes(join(place.home, 'values', name), old, old);
    }
    await submit({ command: ['sleep', '60'], env: { ARGS: join(place.home, 'values/args-1.json') } });
    await client.system.clean({});
    expect(await list('values')).toEqual(['args-1.json']);
  });
});
