import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestPilot, until } from './pilot.js';

const IDS = Array.from({ length: 20 }, (_, index) => `task-${index}`);

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => pilot.destroy());

/** Twenty tasks that each append their id once, wait for a sign, and say goodbye. */
async function runTwenty(): Promise<void> {
  const script = 'echo $PILOTHOUSE_TASK_ID >> ids; while [ ! -e go ]; do sleep 0.05; done; echo bye; exit $1';
  pilot.spool(IDS.map((id, index) => pilot.task(id, ['sh', '-c', script, 'sh', index === 7 ? '7' : '0'])));
  pilot.start();
  await allRun();
}

async function allRun(): Promise<void> {
  await until(
    'all twenty have said their id',
    () => ids().length >= IDS.length,
    () => pilot.log(),
  );
  for (const id of IDS) expect(pilot.running(`PILOTHOUSE_TASK_ID=${id}`).length).toBeGreaterThan(0);
}

function ids(): string[] {
  try {
    return readFileSync(join(pilot.work, 'ids'), 'utf8').trim().split('\n');
  } catch {
    return []; // none has run yet
  }
}

/** Lets them go on, and checks that each ran once and ended in its right state. */
async function finish(): Promise<void> {
  pilot.spool([pilot.task('go', ['touch', 'go'])]);
  for (const id of IDS) await pilot.state(id, 'DONE', 'FAILED');
  expect(ids().sort()).toEqual([...IDS].sort());
  for (const [index, id] of IDS.entries()) {
    const last = pilot.last(id);
    expect(last?.state, `${JSON.stringify(last)}\n${pilot.log()}`).toBe(index === 7 ? 'FAILED' : 'DONE');
    expect(last).toMatchObject({ exitCode: index === 7 ? 7 : 0 });
    expect(pilot.stdout(id)).toBe('bye\n');
  }
  await pilot.end();
}

describe('kill -9 with twenty tasks running', () => {
  it('of the agent: they run on and are adopted', async () => {
    await runTwenty();
    const [agent = 0] = pilot.agents();
    process.kill(agent, 'SIGKILL');
    await until('another agent runs', () => pilot.agents().some((pid) => pid !== agent));
    await finish();
  });

  it('of the agent, while they end: no exit is lost', async () => {
    await runTwenty();
    const [agent = 0] = pilot.agents();
    process.kill(agent, 'SIGSTOP');
    pilot.spool([pilot.task('after', ['true'])]);
    // The agent is frozen, so nothing but the tasks themselves can make this go on.
    const { execFileSync } = await import('node:child_process');
    execFileSync('touch', [join(pilot.work, 'go')]);
    await until('all have ended', () => IDS.every((id) => pilot.running(`PILOTHOUSE_TASK_ID=${id}`).length === 0));
    process.kill(agent, 'SIGKILL');
    await pilot.state('after', 'DONE');
    await finish();
  });

  it('of the keeper: the server takes its part', async () => {
    await runTwenty();
    const before = await pilot.warden();
    process.kill(before.keeper, 'SIGKILL');
    const after = await until('the pair is whole again', async () => {
      const now = await pilot.warden();
      return now.server !== before.server ? now : undefined;
    });
    expect(after.keeper).toBe(before.server);
    await finish();
  });

  it('of the server: the keeper starts another', async () => {
    await runTwenty();
    const before = await pilot.warden();
    process.kill(before.server, 'SIGKILL');
    const after = await until('the pair is whole again', async () => {
      const now = await pilot.warden();
      return now.server !== before.server ? now : undefined;
    });
    expect(after.keeper).toBe(before.keeper);
    await finish();
  });

  it('of all three in turn, again and again', async () => {
    await runTwenty();
    for (let round = 0; round < 3; round += 1) {
      for (const victim of ['keeper', 'server', 'agent'] as const) {
        const pair = await pilot.warden();
        const [agent = 0] = await until('an agent runs', () =>
          pilot.agents().length > 0 ? pilot.agents() : undefined,
        );
        const pid = victim === 'agent' ? agent : pair[victim];
        process.kill(pid, 'SIGKILL');
        await until(`${victim} is replaced`, async () => {
          const now = await pilot.warden();
          const [next] = pilot.agents();
          return now.keeper !== pid && now.server !== pid && next !== undefined && next !== pid;
        });
        await allRun();
      }
    }
    await finish();
  });

  it('of the server while tasks are being spawned: none runs twice', async () => {
    const many = Array.from({ length: 150 }, (_, index) => `many-${index}`);
    pilot.spool(many.map((id) => pilot.task(id, ['sh', '-c', `echo ${id} >> ids`])));
    pilot.start();
    for (let kill = 0; kill < 4; kill += 1) {
      const seen = ids().length;
      const { server } = await pilot.warden();
      process.kill(server, 'SIGKILL');
      await until(
        'it goes on',
        () => ids().length > seen || ids().length === many.length,
        () => pilot.log(),
      );
    }
    for (const id of many) await pilot.state(id, 'DONE', 'FAILED');
    const written = ids();
    expect(new Set(written).size).toBe(written.length);
    for (const id of many) {
      const last = pilot.last(id);
      // Cut off in the middle of a spawn it may count as lost, but then it says so.
      if (last?.state === 'FAILED') expect(last.error?.code).toBe('LAUNCHER_LOST');
      else expect(written).toContain(id);
    }
    await pilot.end();
  });

  it('of both of the warden at once: the agent starts another, which takes everything over', async () => {
    await runTwenty();
    const before = await pilot.warden();
    process.kill(before.keeper, 'SIGSTOP');
    process.kill(before.server, 'SIGKILL');
    process.kill(before.keeper, 'SIGKILL');
    const after = await pilot.warden();
    expect([before.keeper, before.server]).not.toContain(after.keeper);
    pilot.spool([pilot.task('go', ['touch', 'go'])]);
    for (const [index, id] of IDS.entries()) {
      const last = await pilot.state(id, 'DONE', 'FAILED');
      // A kernel before 6.15 tells nobody how a process ended that is no child: then this is said, and no guess.
      if (last.error?.code !== 'LAUNCHER_LOST') expect(last).toMatchObject({ exitCode: index === 7 ? 7 : 0 });
    }
    expect(ids().sort()).toEqual([...IDS].sort());
    await pilot.end();
  });
});

describe('a pilot whose agent cannot be kept alive', () => {
  it('is ended by the warden when its time and the slack are over', async () => {
    pilot.remove();
    pilot = new TestPilot({ runtime: 4 });
    pilot.spool([pilot.task('runs', ['sh', '-c', 'trap "" TERM; sleep 600'])]);
    pilot.start(1);
    await pilot.state('runs', 'RUNNING');
    for (const agent of pilot.agents()) process.kill(agent, 'SIGSTOP');
    await until('nothing is left running', () => pilot.everything().length === 0);
  });

  it('is ended by the warden when its folder was removed', async () => {
    pilot.spool([pilot.task('runs', ['sleep', '600'])]);
    pilot.start();
    await pilot.state('runs', 'RUNNING');
    rmSync(pilot.folder, { recursive: true });
    for (const agent of pilot.agents()) process.kill(agent, 'SIGKILL');
    await until('nothing is left running', () => pilot.everything().length === 0);
  });
});
