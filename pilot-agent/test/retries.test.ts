import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestPilot, until } from './pilot.js';

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => pilot.destroy());

const soon = { first: '20ms', factor: 1, longest: '1s' };
/** Fails until it has been tried so often. */
const nth = (n: number, code = 3) => [
  'sh',
  '-c',
  `echo x >> tries-${n}; echo "try $PILOTHOUSE_SPAWN_ID" >&2; [ $(wc -l < tries-${n}) -ge ${n} ] || exit ${code}`,
];

describe('retries', () => {
  it('go back to WAITING with one more attempt and words, and end when they are used up', async () => {
    pilot.spool([
      pilot.task('third', nth(3), { retries: { max: 2, backOff: soon } }),
      pilot.task('never', ['sh', '-c', 'exit 7'], { retries: { max: 1, backOff: soon } }),
      pilot.task('not-this-code', nth(9, 4), { retries: { max: 5, exitCodes: [5], backOff: soon } }),
      pilot.task('not-exits', nth(8, 4), { retries: { max: 5, on: ['timeout'], backOff: soon } }),
      pilot.task('not-found', ['no-such-program'], { retries: { max: 5, backOff: soon } }),
    ]);
    pilot.start();
    const third = await pilot.state('third', 'DONE');
    expect(third.attempt ?? pilot.tasks('third').findLast(({ attempt }) => attempt)?.attempt).toBe(3);
    const waits = pilot.tasks('third').filter(({ reason }) => reason?.code === 'BACK_OFF');
    expect(waits.map(({ attempt, retries }) => [attempt, retries])).toEqual([
      [2, 1],
      [3, 2],
    ]);
    expect(waits[0]?.reason?.text).toMatch(/^retry 1 of 2 in 0 s: task third exited with 3$/);
    expect(pilot.statesOf('third')).not.toContain('FAILED');
    const [first] = waits;
    const { file, stderr } = first?.output ?? { file: '', stderr: { offset: 0, length: 0 } };
    expect(
      readFileSync(join(pilot.folder, file))
        .subarray(stderr.offset, stderr.offset + stderr.length)
        .toString(),
    ).toBe('try third:1\n');
    expect(await pilot.state('never', 'FAILED')).toMatchObject({ exitCode: 7, error: { code: 'TASK_FAILED' } });
    expect(pilot.tasks('never').filter(({ reason }) => reason?.code === 'BACK_OFF')).toHaveLength(1);
    for (const id of ['not-this-code', 'not-exits', 'not-found']) {
      await pilot.state(id, 'FAILED');
      expect(pilot.statesOf(id)).not.toContain('WAITING');
    }
    await pilot.end();
  });

  it('goes on waiting after the agent was killed, and runs no attempt twice', async () => {
    pilot.spool([
      pilot.task('flaky', nth(2), { retries: { max: 3, backOff: { first: '2s', factor: 1, longest: '2s' } } }),
    ]);
    pilot.start();
    await pilot.state('flaky', 'WAITING');
    for (const pid of pilot.agents()) process.kill(pid, 'SIGKILL');
    await pilot.state('flaky', 'DONE');
    expect(readFileSync(join(pilot.work, 'tries-2'), 'utf8')).toBe('x\nx\n');
    await pilot.end();
  });

  it('gives more memory after running out of it, and says what was taken', async () => {
    const takes = (mib: number) => ['python3', '-c', `x = bytearray(${mib} << 20); import time; time.sleep(0.6)`];
    pilot.spool([
      pilot.task('grows', takes(300), {
        memory: '200MiB',
        retries: { max: 2, onOom: { memory: '×2' }, backOff: soon },
      }),
      pilot.task('stays', takes(300), { memory: '200MiB', retries: 2 }),
    ]);
    pilot.start();
    await pilot.state('grows', 'DONE');
    expect(pilot.tasks('grows').find(({ reason }) => reason?.code === 'BACK_OFF')).toMatchObject({
      attempt: 2,
      memory: 400 * 2 ** 20,
    });
    const { error } = await pilot.state('stays', 'FAILED');
    expect(error).toMatchObject({ code: 'OUT_OF_MEMORY', field: 'memory' });
    expect(error?.message).toMatch(/^task stays took \d+(\.\d+)? MiB of memory and had asked for 200 MiB$/);
    expect(error?.hint).toMatch(/^Ask for more, for example memory: '\d+MiB'/);
    await pilot.end();
  });

  it('ends what takes too long, with its whole tree', async () => {
    pilot.spool([
      pilot.task('slow', ['sh', '-c', "trap 'echo asked >&2; exit 0' TERM; sleep 600 & wait"], {
        maxDuration: '300ms',
      }),
    ]);
    pilot.start();
    const slow = await pilot.state('slow', 'FAILED');
    expect(slow.error).toMatchObject({ code: 'DURATION_EXCEEDED', field: 'maxDuration' });
    await until('nothing is left', () => pilot.running('PILOTHOUSE_TASK_ID=slow').length === 0);
    await pilot.end();
  });

  it('tells GPU errors and full disks from others by what programs say', async () => {
    pilot.spool([
      pilot.task('full', ['sh', '-c', 'seq 9 > /dev/full']),
      pilot.task('silent', ['sh', '-c', 'exit 1']),
      pilot.task('memory', [
        'sh',
        '-c',
        'echo "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20 MiB" >&2; exit 1',
      ]),
      pilot.task('nccl', [
        'sh',
        '-c',
        'echo "RuntimeError: NCCL error in: ProcessGroupNCCL.cpp:1269, ncclSystemError" >&2; exit 1',
      ]),
    ]);
    pilot.start();
    expect((await pilot.state('full', 'FAILED')).error).toMatchObject({
      code: 'DISK_FULL',
      hint: expect.stringContaining('Make room'),
    });
    expect((await pilot.state('silent', 'FAILED')).error).toMatchObject({
      code: 'TASK_FAILED',
      hint: expect.stringContaining('said nothing'),
    });
    expect((await pilot.state('memory', 'FAILED')).error).toMatchObject({ code: 'GPU_OUT_OF_MEMORY' });
    expect((await pilot.state('nccl', 'FAILED')).error).toMatchObject({
      code: 'GPU_COMMUNICATION_FAILED',
      retryable: true,
    });
    await pilot.end();
  });
});
