import { lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Session, SetResult } from '../src/client/types.js';
import { createTestSession, type TestControls, type TestSessionOptions, testTask } from '../src/testing/index.js';

/** Tasks fail whose command says so. */
const task = ([program = '']: readonly string[]) => ({ exitCode: program === 'false' ? 3 : 0, stdout: `${program}\n` });

async function within(
  options: TestSessionOptions,
  run: (session: Session, controls: TestControls) => Promise<void>,
): Promise<void> {
  const { session, controls } = createTestSession({ task, ...options });
  try {
    await run(session, controls);
  } finally {
    await session.close();
  }
}

const numbered = (count: number, program = 'true') =>
  Array.from({ length: count }, (_, index) => ({ name: `t${index}`, command: [program] }));

describe('a task set', () => {
  it('is one handle with counts, progress, results and an end', () =>
    within({}, async (session) => {
      const set = await session.tasks.submitMany(numbered(2500), { name: 'many' });
      expect(set).toMatchObject({ kind: 'set', name: 'many' });
      expect(await set.done()).toMatchObject({ state: 'DONE', done: 2500, failed: 0, canceled: 0 });
      expect(set.progress).toEqual({ ended: 2500, total: 2500, fraction: 1 });
      expect(set.counts).toMatchObject({ total: 2500, done: 2500, waiting: 0 });
      const results = await lastValueFrom(set.results$.pipe(toArray()));
      expect(results.map(({ index }) => index)).toEqual(results.map((_, index) => index));
      expect(new Set(results.map(({ id }) => id)).size).toBe(2500);
      const rest = await lastValueFrom(set.resultsFrom(2400).pipe(toArray()));
      expect(rest).toEqual(results.slice(2400));
      const values = await set.results();
      expect(values).toHaveLength(2500);
      expect(values[0]).toEqual({ exitCode: 0, usage: null });
      expect(session.picture.sets.map(({ name }) => name)).toEqual(['many']);
      expect(session.picture.tasks).toEqual([]);
    }));

  it('that has failures says which, and runs them again as a new set', () =>
    within({}, async (session) => {
      const set = await session.tasks.submitMany([...numbered(3), { name: 'bad', command: ['false'] }], {
        name: 'mixed',
      });
      expect(await set.done()).toMatchObject({ state: 'FAILED', done: 3, failed: 1 });
      await expect(set.results()).rejects.toMatchObject({
        code: 'TASK_FAILED',
        ids: { set: set.id, task: `${set.id}.3` },
        hint: expect.stringContaining('retryFailed()'),
      });
      const settled: SetResult[] = await set.results({ settled: true });
      expect(settled.map(({ name }) => name)).toEqual(['t0', 't1', 't2', 'bad']);
      expect(settled[3]).toMatchObject({
        state: 'FAILED',
        exitCode: 3,
        error: { code: 'TASK_FAILED' },
        value: undefined,
      });
      const again = await set.retryFailed();
      expect(again.record.retryOf).toBe(set.id);
      expect(await again.done()).toMatchObject({ done: 0, failed: 1 });
    }));

  it('of a name takes over what its predecessor has done', () =>
    within({}, async (session) => {
      const first = await session.tasks.submitMany(numbered(3), { name: 'prep' });
      await first.done();
      const second = await session.tasks.submitMany(numbered(5), { name: 'prep', resume: true });
      await second.done();
      expect(second.counts).toMatchObject({ done: 5, resumed: 3 });
    }));

  it('can be opened, filled and closed', () =>
    within({}, async (session) => {
      const set = await session.tasks.openSet({ name: 'open', template: { command: ['true'], cores: 2 } });
      expect(await set.add([{ name: 'a' }, { name: 'b' }])).toBe(2);
      expect((await set.waitAny(2)).map(({ state }) => state)).toEqual(['DONE', 'DONE']);
      expect(set.state).toBe('RUNNING');
      const [added] = await Promise.all([set.add([{ name: 'c' }]), set.closeSubmission()]);
      expect(added).toBe(3);
      expect((await set.waitAll()).done).toBe(3);
      expect((await set.task('c')).record.description).toMatchObject({ command: ['true'], cores: 2 });
    }));

  it('gives its tasks by number, name and state, each followed to its end', () =>
    within({}, async (session, controls) => {
      const set = await session.tasks.openSet();
      controls.put(testTask({ id: `${set.id}.0`, set: set.id, name: 'first' }));
      const first = await set.task('first');
      expect((await set.task(0)).id).toBe(first.id);
      expect((await set.tasks({ state: 'RUNNING' })).map(({ id }) => id)).toEqual([first.id]);
      expect(await set.tasks({ state: ['DONE', 'FAILED'] })).toEqual([]);
      const end = first.done();
      controls.move(first.id, 'CANCELED');
      expect((await end).state).toBe('CANCELED');
      await expect(set.task('second')).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    }));

  it('takes tasks as they come from a slow source', () =>
    within({}, async (session) => {
      const { promise, resolve } = gate();
      async function* slow() {
        yield { name: 'early', command: ['true'] };
        await promise;
        yield { name: 'late', command: ['true'] };
      }
      const submitted = session.tasks.submitMany(slow(), { name: 'slow' });
      const set = await eventual(() => session.tasks.set('slow'));
      expect(await set.waitAny()).toMatchObject([{ name: 'early', state: 'DONE' }]);
      resolve();
      expect((await (await submitted).done()).done).toBe(2);
    }));

  it('whose submission breaks off says how far it came', () =>
    within({}, async (session) => {
      const tasks = [...numbered(4000), { name: 'not a name', command: ['true'] }];
      await expect(session.tasks.submitMany(tasks, { name: 'broken' })).rejects.toMatchObject({
        code: 'INVALID_DESCRIPTION',
        hint: expect.stringContaining('4000 tasks of broken had been taken'),
      });
      expect((await (await session.tasks.set('broken')).done()).done).toBe(4000);
      await expect(session.tasks.submitMany([{ command: [] }], { name: 'none' })).rejects.toMatchObject({
        code: 'INVALID_DESCRIPTION',
      });
      expect((await session.tasks.sets({ all: true })).map(({ name }) => name)).toEqual(['broken']);
    }));

  it('is canceled as a whole', () =>
    within({}, async (session) => {
      const set = await session.tasks.openSet({ name: 'gone' });
      await set.cancel();
      expect((await set.done()).state).toBe('CANCELED');
      await expect(set.add([{ command: ['true'] }])).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION' });
    }));

  it('is there as rows for a table', () =>
    within({}, async (session) => {
      const set = await session.tasks.submitMany(numbered(3));
      await set.done();
      const [batch] = await lastValueFrom(session.tasks.rows$({ set }).pipe(take(1), toArray()));
      expect(batch?.reset).toBe(true);
      expect(batch?.rows.map(([, name, of, state]) => [name, of, state])).toEqual([
        ['t0', set.id, 'DONE'],
        ['t1', set.id, 'DONE'],
        ['t2', set.id, 'DONE'],
      ]);
    }));
});

describe('a task', () => {
  it('gives its files up to a limit, its output from any offset, and runs again', () =>
    within({ files: { 'report.txt': 'all is well' } }, async (session) => {
      const one = await session.tasks.submit({ command: ['hello'] });
      await one.done();
      expect(await one.files()).toMatchObject([{ path: 'report.txt', size: 11 }]);
      expect(new TextDecoder().decode(await one.output('report.txt'))).toBe('all is well');
      await expect(one.output('report.txt', { limit: '0.001KiB' })).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
      await expect(one.output('other.txt')).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
      expect(await lastValueFrom(one.stdout$)).toBe('hello\n');
      expect(await lastValueFrom(one.follow('stdout', { offset: 3 }))).toBe('lo\n');
      expect(await lastValueFrom(one.follow('stdout', { offset: -3 }))).toBe('lo\n');
      const again = await one.retry();
      expect(again.record.retryOf).toBe(one.id);
      expect(await again.result()).toMatchObject({ exitCode: 0, stdout: 'hello\n', value: undefined });
      expect(await session.tasks.cancelMany([one, again])).toBe(0);
    }));
});

describe('a pilot', () => {
  it('is suspended, resumed, extended, drained', () =>
    within({}, async (session) => {
      const pilot = await session.pilots.submit({ cores: 2, runtime: '1h' });
      await pilot.suspend();
      expect(pilot.record.suspended).toBe(true);
      await pilot.resume();
      expect(pilot.record.suspended).toBe(false);
      const ends = Date.parse(pilot.record.endsAt ?? '');
      await pilot.extend('30m');
      expect(Date.parse(pilot.record.endsAt ?? '') - ends).toBe(30 * 60_000);
      await pilot.keep();
      expect((await pilot.timeline()).nodes).toMatchObject([{ cores: 2 }]);
      await pilot.drain();
      expect(pilot.state).toBe('DRAINING');
    }));
});

function gate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A thing that another call makes; asks until it is there. */
async function eventual<T>(ask: () => Promise<T>): Promise<T> {
  for (let left = 1000; ; left -= 1) {
    try {
      return await ask();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
