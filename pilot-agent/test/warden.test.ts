import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { carrying, until } from './pilot.js';
import { TestWarden } from './warden.js';

const MIB = 1 << 20;
let warden: TestWarden;
beforeEach(() => {
  warden = new TestWarden();
});
afterEach(() => warden.end());

describe('what the warden says about an end', () => {
  it('is told with usage and short output, whatever bytes it is made of', async () => {
    await warden.start();
    const done = await warden.run(
      'a',
      `printf 'caf\\303\\251\\377\\000.'; echo oh >&2; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3`,
    );
    expect(done).toMatchObject({ started: 1, code: 3, exit: { oom: null, output: { stdout: 8, stderr: 3 } } });
    const text = done.exit?.output?.text;
    expect(Buffer.from(text?.stdout ?? '', 'latin1')).toEqual(Buffer.from('caf\xc3\xa9\xff\x00.', 'latin1'));
    expect(text?.stderr).toBe('oh\n');
    const usage = done.exit?.usage;
    expect(usage?.cpu).toBeGreaterThan(0);
    expect(usage?.wall).toBeGreaterThanOrEqual(usage?.cpu ?? 1);
    expect(usage?.maxRss).toBeGreaterThan(0);
  });

  it('leaves long output in its file', async () => {
    await warden.start();
    const done = await warden.run('a', 'head -c 10000000 /dev/zero | tr "\\0" x');
    expect(done.exit?.output).toEqual({ stdout: 10_000_000, stderr: 0 });
  });

  it('names the file when it cannot be started, and the folder when that is gone', async () => {
    await warden.start();
    expect(await warden.spawn('a', ['/no/such/program'])).toMatchObject({
      started: 0,
      failure: { errno: 2, message: expect.stringContaining('/no/such/program') },
    });
    expect(await warden.spawn('b', ['/bin/true'], { cwd: '/no/such/folder' })).toMatchObject({
      failure: { errno: 2, message: expect.stringContaining('/no/such/folder') },
    });
  });
});

describe('everything that belongs to a task', () => {
  it('is gone before its end is told, also what has a session of its own', async () => {
    await warden.start();
    const stray = (file: string) => `setsid sh -c 'echo $$ > ${file}; while :; do sleep 0.1; done' &`;
    const bare = `env -i ${stray('two')}`;
    const done = await warden.run(
      'a',
      `${stray('one')} ${bare} while [ ! -s one ] || [ ! -s two ]; do sleep 0.02; done`,
    );
    expect(done.code).toBe(0);
    const pids = await Promise.all([warden.written('one'), warden.written('two')]);
    expect(() => process.kill(Number(pids[0]), 0)).toThrow('ESRCH');
    // One that threw away its variables too cannot be told from what others may have left: it goes with the pilot.
    await warden.client.sweep(1);
    expect(() => process.kill(Number(pids[1]), 0)).toThrow('ESRCH');
  });

  it('does not count zombies that nobody waits for', async () => {
    await warden.start();
    const code = 'import os,time\nfor i in range(5):\n  if os.fork()==0: os._exit(0)\ntime.sleep(0.1)';
    expect(await warden.spawn('a', ['/usr/bin/python3', '-c', code])).toMatchObject({ code: 0 });
  });

  it('is asked with the signal that was named, and killed after the grace', async () => {
    await warden.start();
    const gentle = warden.run('a', 'trap "exit 7" USR1; echo 1 > a.ready; while :; do sleep 0.05; done');
    const stubborn = warden.run('b', 'trap "" TERM; (trap "" TERM; sleep 600) & echo 1 > b.ready; wait; sleep 600');
    await Promise.all([warden.written('a.ready'), warden.written('b.ready')]);
    warden.client.end(['a'], 30, 'USR1');
    warden.client.end(['b'], 0.2);
    expect(await gentle).toMatchObject({ code: 7 });
    expect(await stubborn).toMatchObject({ code: -9 });
    expect(carrying('PILOTHOUSE_SPAWN_ID=b')).toEqual([]);
  });
});

describe('memory', () => {
  const hog = (mib: number) => ['/usr/bin/python3', '-c', `import time; x = bytearray(${mib} << 20); time.sleep(600)`];

  it('of all processes of a task together is held to its limit', async () => {
    await warden.start();
    const two = `import os,time\nos.fork()\nx = bytearray(90 << 20)\ntime.sleep(600)`;
    const done = await warden.spawn('a', ['/usr/bin/python3', '-c', two], { memory: 150 * MIB });
    expect(done).toMatchObject({ code: -9, exit: { oom: { limit: 150 * MIB } } });
    const { oom, usage } = done.exit ?? {};
    expect(oom?.peak).toBeGreaterThan(150 * MIB);
    expect(usage?.maxRss).toBe(oom?.peak);
    expect(carrying('PILOTHOUSE_SPAWN_ID=a')).toEqual([]);
  });

  it('counts once what processes share', async () => {
    await warden.start();
    const shared = `import os,time\nx = bytearray(90 << 20)\nif os.fork()==0: time.sleep(0.4); os._exit(0)\nos.wait()`;
    const done = await warden.spawn('a', ['/usr/bin/python3', '-c', shared], { memory: 150 * MIB });
    expect(done).toMatchObject({ code: 0, exit: { oom: null } });
  });

  it('is watched on by a new server', async () => {
    await warden.start();
    const script = `while [ ! -e go ]; do sleep 0.05; done; exec ${hog(200)
      .map((word) => `'${word}'`)
      .join(' ')}`;
    const running = warden.run('a', `echo 1 > up; ${script}`, { memory: 100 * MIB });
    await warden.written('up');
    process.kill((await warden.pair()).server, 'SIGKILL');
    writeFileSync(join(warden.folder, 'go'), '');
    expect(await running).toMatchObject({ exit: { oom: { limit: 100 * MIB } } });
  });
});

describe('an output that grows without end', () => {
  it('keeps both its ends, and gives back what is between', async () => {
    await warden.start([MIB, MIB]);
    const running = warden.run(
      'a',
      'echo first; head -c 33554432 /dev/zero; echo last; while [ ! -e go ]; do sleep 0.05; done',
    );
    const path = warden.output('a', 'out');
    await until('the middle is given back', () => {
      if (!existsSync(path)) return false;
      const { size, blocks } = statSync(path);
      return size > 32 * MIB && blocks * 512 < 4 * MIB;
    });
    writeFileSync(join(warden.folder, 'go'), '');
    expect((await running).exit?.output?.stdout).toBe(33_554_432 + 11);
  });
});

describe('batches', () => {
  it('of any shape tell each spawn once and rightly, also when server and keeper are killed between', async () => {
    await warden.start();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ code: fc.integer({ min: 0, max: 40 }), held: fc.boolean(), end: fc.boolean() }), {
          minLength: 1,
          maxLength: 60,
        }),
        fc.constantFrom('nobody', 'server', 'keeper'),
        async (tasks, victim) => {
          run += 1;
          const go = `go-${run}`;
          const before = await warden.pair();
          const outcomes = tasks.map(({ code, held }, index) => {
            const wait = held ? `while [ ! -e ${go} ]; do sleep 0.02; done; ` : '';
            return warden.run(`${run}.${index}`, `${wait}exit ${code}`);
          });
          if (victim !== 'nobody') process.kill(before[victim], 'SIGKILL');
          const ended = tasks.flatMap(({ end }, index) => (end ? [`${run}.${index}`] : []));
          if (ended.length > 0) warden.client.end(ended, 5);
          writeFileSync(join(warden.folder, go), '');
          for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
            const { code, end } = tasks[index] ?? { code: -1, end: false };
            // Cut off in the middle of a spawn, one may count as lost, but not without a kill.
            if (outcome.lost) expect(victim).not.toBe('nobody');
            else {
              expect(outcome.started).toBe(1);
              expect(end ? [code, -15] : [code]).toContain(outcome.code);
            }
          }
          await until('the pair is whole', async () => {
            const now = await warden.pair();
            return victim === 'nobody' || now[victim] !== before[victim];
          });
        },
      ),
      { numRuns: 12, seed: 4 },
    );
    await until('nothing is kept that was acknowledged', () => {
      const lines = warden
        .ledger()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      const open = new Set<string>();
      for (const { type, id } of lines) {
        if (type === 'intent' && !id.startsWith('\0')) open.add(id);
        else if (type === 'ack') open.delete(id);
      }
      return open.size === 0;
    });
  });
});
