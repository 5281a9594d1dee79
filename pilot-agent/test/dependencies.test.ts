import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestBridge } from './bridge.js';
import { TestPilot, until } from './pilot.js';

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => pilot.destroy());

const done = (task: string) => ({ task, when: 'done' as const });

describe('what comes before a task', () => {
  it('waits for tasks that are done, finished or failed, and never waits for what cannot come', async () => {
    pilot.spool([
      pilot.task('last', ['sh', '-c', 'test -f first.done'], { after: [done('first')] }),
      pilot.task('first', ['sh', '-c', 'sleep 0.2; touch first.done']),
      pilot.task('bad', ['false']),
      pilot.task('needs-bad', ['true'], { after: [done('bad')] }),
      pilot.task('needs-that', ['true'], { after: [done('needs-bad')] }),
      pilot.task('after-bad', ['true'], { after: [{ task: 'bad', when: 'finished' }] }),
      pilot.task('clean-up', ['true'], { after: [{ task: 'bad', when: 'failed' }] }),
      pilot.task('not-needed', ['true'], { after: [{ task: 'first', when: 'failed' }] }),
    ]);
    pilot.start();
    await pilot.state('last', 'DONE');
    await pilot.state('after-bad', 'DONE');
    await pilot.state('clean-up', 'DONE');
    const failed = await pilot.state('needs-bad', 'FAILED');
    expect(failed.error).toMatchObject({
      code: 'DEPENDENCY_FAILED',
      message: 'task bad, which comes first, failed',
      ids: { task: 'needs-bad', dependency: 'bad' },
    });
    expect((await pilot.state('needs-that', 'FAILED')).error?.ids).toMatchObject({ dependency: 'needs-bad' });
    const unneeded = await pilot.state('not-needed', 'CANCELED');
    expect(unneeded.error).toMatchObject({ code: 'DEPENDENCY_FAILED', message: expect.stringContaining('not needed') });
    await pilot.end();
  });

  it('hears of tasks elsewhere, before and after it is asked to wait for them', async () => {
    pilot.spool([
      { type: 'settled', tasks: [{ id: 'before', state: 'DONE' }] },
      pilot.task('both', ['true'], { after: [done('before'), done('elsewhere')] }),
      pilot.task('hopeless', ['true'], { after: [done('gone')] }),
    ]);
    pilot.start();
    const waits = await pilot.state('both', 'WAITING');
    expect(waits.reason).toMatchObject({ code: 'WAITS_FOR_TASKS', text: 'waits for task elsewhere' });
    pilot.spool([
      {
        type: 'settled',
        tasks: [
          { id: 'elsewhere', state: 'DONE' },
          { id: 'gone', state: 'CANCELED' },
        ],
      },
    ]);
    await pilot.state('both', 'DONE');
    expect((await pilot.state('hopeless', 'FAILED')).error).toMatchObject({
      code: 'DEPENDENCY_FAILED',
      message: 'task gone, which comes first, was canceled',
    });
    await pilot.end();
  });

  it('fails a chain of thousands at once, each naming the one before', async () => {
    const length = 5000;
    const tasks = Array.from({ length }, (_, index) => ({
      id: `chain.${index}`,
      name: `chain-${index}`,
      entry: {},
      after: index === 0 ? [done('start')] : [done(`chain.${index - 1}`)],
    }));
    pilot.spool([
      pilot.task('start', ['false']),
      pilot.batch(tasks, { set: 'chain', template: { command: ['true'] } }),
    ]);
    pilot.start();
    const last = await pilot.state(`chain.${length - 1}`, 'FAILED');
    expect(last.error).toMatchObject({ code: 'DEPENDENCY_FAILED', ids: { dependency: `chain.${length - 2}` } });
    await pilot.end();
  });

  it('waits for files that another task brings, and says at once when none does', async () => {
    pilot.spool([
      pilot.task('reads', ['cat', 'features/a.npy'], { inputs: ['features/a.npy'] }),
      pilot.task('nobody', ['true'], { inputs: ['nowhere.csv'] }),
    ]);
    writeFileSync(join(pilot.work, 'gate'), '');
    pilot.spool([
      pilot.task('makes', ['sh', '-c', 'while [ -f ../gate ]; do sleep 0.02; done; mkdir out; echo data > out/a.npy'], {
        cwd: join(pilot.work, 'own'),
        stageOut: [{ from: 'out/*.npy', to: '../features/' }],
      }),
    ]);
    expect(existsSync(join(pilot.work, 'own'))).toBe(false);
    // The folder of the second batch is its own: staged out relative to it.
    const { mkdirSync } = await import('node:fs');
    mkdirSync(join(pilot.work, 'own'));
    pilot.spool([pilot.task('late', ['cat', 'features/a.npy'], { inputs: ['features/a.npy'] })]);
    pilot.start();
    const missing = await pilot.state('nobody', 'FAILED');
    expect(missing.error).toMatchObject({ code: 'DATA_NOT_FOUND', evidence: join(pilot.work, 'nowhere.csv') });
    const waits = await pilot.state('late', 'WAITING');
    expect(waits.reason).toMatchObject({ code: 'WAITS_FOR_DATA' });
    const { rmSync } = await import('node:fs');
    rmSync(join(pilot.work, 'gate'));
    await pilot.state('late', 'DONE');
    expect(pilot.stdout('late')).toBe('data\n');
    expect(pilot.tasks('makes').at(-1)?.staging).toMatchObject([{ direction: 'out', state: 'DONE', files: 1 }]);
    expect(pilot.statesOf('makes')).toContain('STAGING_OUTPUT');
    await pilot.end();
  });

  it('explains what it waits for, from live data', async () => {
    const bridge = await TestBridge.open(pilot);
    pilot.spool([
      pilot.task('holds', ['sleep', '600'], { cores: 23 }),
      pilot.task('waits', ['true'], { cores: 2 }),
      pilot.task('depends', ['true'], { after: [done('waits'), done('holds')] }),
    ]);
    pilot.start();
    await pilot.state('waits', 'SCHEDULING');
    await until('the bridge is greeted', () => bridge.of('hello').length > 0);
    const ask = async (re: number, id: string) => {
      bridge.send({ type: 'explain', re, id });
      return until('an answer', () => bridge.of('reply').find((reply) => reply.re === re));
    };
    expect((await ask(1, 'waits')).explanation?.text).toContain('waits for 2 cores');
    expect((await ask(2, 'depends')).explanation).toEqual({
      text: 'waits for task waits and 1 other',
      evidence: ['waits', 'holds'],
    });
    expect((await ask(3, 'nobody')).error).toMatchObject({ code: 'TASK_NOT_FOUND' });
    bridge.close();
    await pilot.end();
  });
});

describe('batches', () => {
  it('put an entry on top of its template, whole fields, and cancel a set', async () => {
    pilot.spool([
      pilot.batch(
        [
          { id: 's.0', name: 'a', entry: {} },
          {
            id: 's.1',
            name: 'b',
            entry: { command: ['sh', '-c', 'echo $B$OMP_NUM_THREADS'], env: { B: 'own' }, cores: 3 },
          },
          { id: 's.2', name: 'c', entry: { command: ['echo', 'of {cores} and {gpus} and {other}'] } },
        ],
        { set: 's', template: { command: ['sh', '-c', 'echo $A$OMP_NUM_THREADS'], env: { A: 'template' }, cores: 2 } },
      ),
      pilot.batch(
        [0, 1, 2].map((n) => ({ id: `t.${n}`, name: `t${n}`, entry: { cores: 10 } })),
        { set: 't', template: { command: ['sleep', '600'] } },
      ),
    ]);
    pilot.start();
    for (const id of ['s.0', 's.1', 's.2']) await pilot.state(id, 'DONE');
    expect(pilot.stdout('s.0')).toBe('template2\n');
    expect(pilot.stdout('s.1')).toBe('own3\n');
    expect(pilot.stdout('s.2')).toBe('of 2 and 0 and {other}\n');
    await pilot.state('t.0', 'RUNNING');
    pilot.spool([{ type: 'cancel-tasks', set: 't' }]);
    for (const id of ['t.0', 't.1', 't.2']) await pilot.state(id, 'CANCELED');
    await pilot.end();
    expect(existsSync(pilot.home)).toBe(false);
  });

  it('keeps one account of each task that has ended', async () => {
    pilot.spool([pilot.task('a', ['sleep', '0.1'], { cores: 2 }), pilot.task('b', ['false'])]);
    pilot.start();
    await pilot.state('a', 'DONE');
    await pilot.state('b', 'FAILED');
    const file = join(pilot.folder, 'accounting.jsonl');
    const lines = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
    await until('both are written down', () => lines().length === 2);
    for (const pid of pilot.agents()) process.kill(pid, 'SIGKILL');
    pilot.spool([pilot.task('c', ['true'])]);
    await pilot.state('c', 'DONE');
    await until('the third is written down', () => lines().length === 3);
    const accounts = lines().map((line) => JSON.parse(line));
    expect(accounts.map(({ id, state, cores }) => [id, state, cores]).sort()).toEqual([
      ['a', 'DONE', 2],
      ['b', 'FAILED', 1],
      ['c', 'DONE', 1],
    ]);
    const [a] = accounts.filter(({ id }) => id === 'a');
    expect(a.coreSeconds).toBeCloseTo(a.wall * 2, 2);
    await pilot.end();
  });
});
