import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestPilot, until } from './pilot.js';

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => pilot.destroy());

describe('tasks without any bridge', () => {
  it('works off twenty tasks that stood in the spool before it started', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `task-${index}`);
    pilot.spool(ids.map((id) => pilot.task(id, ['sh', '-c', `echo ${id} >> ids; echo out of ${id}`], { cores: 8 })));
    pilot.start();
    for (const id of ids) await pilot.state(id, 'DONE');
    const written = readFileSync(join(pilot.work, 'ids'), 'utf8').trim().split('\n');
    expect(written.sort()).toEqual([...ids].sort());
    for (const id of ids) expect(pilot.stdout(id)).toBe(`out of ${id}\n`);
    expect(pilot.statesOf('task-0')).toEqual(['SCHEDULING', 'LAUNCHING', 'RUNNING', 'DONE']);
    const seqs = pilot.journal().map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    await pilot.end();
  });

  it('gives a task its own environment and nothing of the agent, the warden or their descriptors', async () => {
    const command = [
      'sh',
      '-c',
      'tr "\\0" "\\n" < /proc/self/environ; echo --; ls /proc/self/fd; echo --; cat /proc/self/status',
    ];
    pilot.spool([pilot.task('env', command, { env: { PATH: '/usr/bin:/bin', OWN: 'x' }, cores: 3 })]);
    pilot.start();
    await pilot.state('env', 'DONE');
    const [environ = '', descriptors = '', status = ''] = pilot.stdout('env').split('--\n');
    const names = environ
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.filter((name) => name?.startsWith('PILOTHOUSE')).sort()).toEqual([
      'PILOTHOUSE_PILOT',
      'PILOTHOUSE_SPAWN_ID',
      'PILOTHOUSE_TASK_ID',
    ]);
    expect(environ).toContain('OWN=x\n');
    expect(environ).toContain('OMP_NUM_THREADS=3\n');
    expect(names).not.toContain('HOME');
    // 3 is the folder that `ls` reads.
    expect(descriptors.trim().split('\n')).toEqual(['0', '1', '2', '3']);
    // Signals 32 and 33 are the C library's own.
    expect(BigInt(`0x${status.match(/SigIgn:\t(\w+)/)?.[1]}`) & 0x7fffffffn).toBe(0n);
    expect(status).toMatch(/SigBlk:\t0+\n/);
    await pilot.end();
  });

  it('names what is missing and the remedy, before anything starts', async () => {
    const noInterpreter = join(pilot.work, 'no-interpreter');
    writeFileSync(noInterpreter, '#!/no/such/interpreter\n');
    chmodSync(noInterpreter, 0o755);
    const noProgram = join(pilot.work, 'no-program');
    writeFileSync(noProgram, 'text\n');
    chmodSync(noProgram, 0o755);
    pilot.spool([
      pilot.task('no-exe', ['no-such-program'], { env: { PATH: '/usr/bin' } }),
      pilot.task('no-path', ['./no-such-file']),
      pilot.task('no-x', ['/etc/passwd']),
      pilot.task('folder', ['/etc']),
      pilot.task('no-cwd', ['true'], { cwd: '/no/such/folder' }),
      pilot.task('file-cwd', ['true'], { cwd: '/etc/passwd' }),
      pilot.task('no-interpreter', [noInterpreter]),
      pilot.task('no-program', [noProgram]),
      pilot.task('too-big', ['true'], { cores: 25 }),
      pilot.task('fine', ['true']),
    ]);
    pilot.start();
    const error = async (id: string) => (await pilot.state(id, 'FAILED')).error;
    expect(await error('no-exe')).toMatchObject({ code: 'EXECUTABLE_NOT_FOUND', evidence: 'PATH=/usr/bin' });
    expect((await error('no-exe'))?.hint).toContain('no-such-program');
    expect((await error('no-path'))?.message).toContain(join(pilot.work, 'no-such-file'));
    expect(await error('no-x')).toMatchObject({ message: '/etc/passwd may not be executed' });
    expect((await error('no-x'))?.hint).toContain('chmod +x');
    expect(await error('folder')).toMatchObject({ message: '/etc is no program' });
    expect(await error('file-cwd')).toMatchObject({ code: 'DIRECTORY_NOT_FOUND', hint: 'Name a folder as cwd.' });
    expect(await error('no-cwd')).toMatchObject({ code: 'DIRECTORY_NOT_FOUND' });
    expect((await error('no-cwd'))?.hint).toContain('/no/such/folder');
    expect(await error('no-interpreter')).toMatchObject({ code: 'EXECUTABLE_NOT_FOUND' });
    expect(await error('no-program')).toMatchObject({ code: 'EXECUTABLE_NOT_FOUND' });
    expect(await error('too-big')).toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'cores' });
    await pilot.state('fine', 'DONE');
    await pilot.end();
  });

  it('tells how a task ended, with the last lines of its error output', async () => {
    pilot.spool([
      pilot.task('three', ['sh', '-c', 'echo first >&2; echo last >&2; exit 3']),
      pilot.task('killed', ['sh', '-c', 'kill -9 $$']),
    ]);
    pilot.start();
    const three = await pilot.state('three', 'FAILED');
    expect(three).toMatchObject({ exitCode: 3, stderrTail: 'first\nlast', error: { code: 'TASK_FAILED' } });
    expect(await pilot.state('killed', 'FAILED')).toMatchObject({ signal: 'SIGKILL', error: { code: 'TASK_FAILED' } });
    await pilot.end();
  });

  it('cancels a whole tree, with a grandchild in a session of its own that ignores TERM', async () => {
    const script = `trap '' TERM; setsid sh -c "trap '' TERM; echo started > grandchild; while :; do sleep 1; done" & wait`;
    pilot.spool([pilot.task('tree', ['sh', '-c', script]), pilot.task('other', ['sleep', '600'])]);
    pilot.start();
    await until('the grandchild runs', () => existsSync(join(pilot.work, 'grandchild')));
    await pilot.state('other', 'RUNNING');
    pilot.spool([{ type: 'cancel-tasks', tasks: ['tree'] }]);
    const last = await pilot.state('tree', 'CANCELED');
    expect(last.error).toBeUndefined();
    expect(pilot.running('PILOTHOUSE_TASK_ID=tree')).toEqual([]);
    expect(pilot.running('PILOTHOUSE_TASK_ID=other')).toHaveLength(1);
    await pilot.end();
  });

  it('ends what a finished task left behind, in its own session and outside', async () => {
    pilot.spool([
      pilot.task('leaves', ['sh', '-c', 'sleep 600 & setsid sleep 600 & exit 0']),
      pilot.task('daemon', ['sh', '-c', 'setsid sleep 600 & exit 0']),
    ]);
    pilot.start();
    await pilot.state('leaves', 'DONE');
    await pilot.state('daemon', 'DONE');
    await until('nothing is left', () => pilot.running().length === 0);
    await pilot.end();
  });

  it('says in words what a task waits for, and cancels it there', async () => {
    pilot.spool([pilot.task('holds', ['sleep', '600'], { cores: 23 }), pilot.task('waits', ['true'], { cores: 2 })]);
    pilot.start();
    const waits = await pilot.state('waits', 'SCHEDULING');
    expect(waits.reason).toMatchObject({ code: 'WAITS_FOR_CORES', text: 'waits for 2 cores; 1 of 24 is free' });
    pilot.spool([{ type: 'cancel-tasks', tasks: ['waits'] }]);
    await pilot.state('waits', 'CANCELED');
    await pilot.end();
  });

  it('may last longer than a timer can count', async () => {
    pilot.remove();
    pilot = new TestPilot({ runtime: 3650 * 86_400 });
    pilot.spool([pilot.task('runs', ['true'])]);
    pilot.start();
    await pilot.state('runs', 'DONE');
    expect(pilot.log()).toBe('');
    await pilot.end();
  });

  it('ends by itself when its runtime is over', async () => {
    pilot.remove();
    pilot = new TestPilot({ runtime: 2, cores: 1 });
    pilot.spool([pilot.task('runs', ['sleep', '600']), pilot.task('waits', ['true'])]);
    pilot.start();
    await pilot.pilotState('DONE');
    expect(pilot.last('runs')).toMatchObject({ state: 'FAILED', error: { code: 'WALLTIME_OVER' } });
    // What has not started has no end here: another pilot may take it.
    expect(pilot.last('waits')).toMatchObject({ state: 'SCHEDULING', reason: { code: 'WAITS_FOR_CORES' } });
    const states = pilot
      .journal()
      .filter(({ type }) => type === 'pilot')
      .map((one) => (one.type === 'pilot' ? one.state : ''));
    expect(states).toEqual(['STARTING', 'ACTIVE', 'DRAINING', 'DONE']);
    await pilot.end();
  });

  it('gives a sandbox to a task that asks for one', async () => {
    pilot.spool([pilot.task('boxed', ['pwd'], { sandbox: true })]);
    pilot.start();
    await pilot.state('boxed', 'DONE');
    expect(pilot.stdout('boxed')).toBe(`${pilot.folder}/sandboxes/boxed\n`);
    await pilot.end();
  });
});
