import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestPilot, until } from './pilot.js';

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => pilot.destroy());

/** A pilot of its own kind instead of the usual one. */
function another(options: ConstructorParameters<typeof TestPilot>[0]): void {
  pilot.remove();
  pilot = new TestPilot(options);
}

const pilotRecords = () => pilot.journal().flatMap((one) => (one.type === 'pilot' ? [one] : []));

describe('control of a pilot', () => {
  it('suspends, says so, and resumes, also over a restart of the agent', async () => {
    pilot.spool([{ type: 'control', action: 'suspend' }, pilot.task('later', ['true'])]);
    pilot.start();
    expect((await pilot.state('later', 'SCHEDULING')).reason).toMatchObject({ code: 'SUSPENDED' });
    for (const pid of pilot.agents()) process.kill(pid, 'SIGKILL');
    await until('the next agent is there', () => readdirSync(join(pilot.folder, 'journal')).length === 2);
    await pilot.state('later', 'SCHEDULING');
    pilot.spool([{ type: 'control', action: 'resume' }]);
    await pilot.state('later', 'DONE');
    for (const pid of pilot.agents()) process.kill(pid, 'SIGKILL');
    pilot.spool([pilot.task('after', ['true'])]);
    await pilot.state('after', 'DONE');
    // Read again, it is nothing new.
    expect(pilotRecords().flatMap(({ suspended }) => suspended ?? [])).toEqual([true, false]);
    await pilot.end();
  });

  it('drains: what is there ends by itself, and then the pilot', async () => {
    pilot.spool([
      pilot.task('first', ['sleep', '0.3'], { cores: 24 }),
      pilot.task('second', ['true'], { cores: 24 }),
      { type: 'control', action: 'drain' },
    ]);
    pilot.start();
    await pilot.pilotState('DONE');
    expect(pilot.last('first')).toMatchObject({ state: 'DONE' });
    expect(pilot.last('second')).toMatchObject({ state: 'DONE' });
    expect(pilotRecords().map(({ state }) => state)).toEqual(['STARTING', 'DRAINING', 'DRAINING', 'DONE']);
    await pilot.end();
  });

  it('ends once when it is ended, and its agent is killed on the way', async () => {
    pilot.spool([pilot.task('stubborn', ['sh', '-c', "trap '' TERM; while :; do sleep 0.1; done"])]);
    pilot.start();
    await pilot.state('stubborn', 'RUNNING');
    pilot.spool([{ type: 'end' }]);
    await pilot.pilotState('DRAINING');
    for (const pid of pilot.agents()) process.kill(pid, 'SIGKILL');
    await pilot.pilotState('DONE');
    expect(pilotRecords().filter(({ state }) => state === 'DONE')).toHaveLength(1);
    expect(pilot.last('stubborn')).toMatchObject({ state: 'CANCELED', error: { code: 'PILOT_ENDED' } });
    await pilot.end();
  });

  it('gives an idle pilot back after saying so, and not while somebody wants it to stay', async () => {
    another({ idleAfter: 1 });
    pilot.start();
    const told = () => pilotRecords().filter(({ idle }) => idle);
    await until('it says that it is idle', () => told().length === 1);
    pilot.spool([{ type: 'control', action: 'keep' }]);
    await until('it was told to stay', () => pilotRecords().some(({ idle }) => idle === null));
    await pilot.pilotState('DONE');
    expect(told()).toHaveLength(2);
    const [idle] = told().flatMap((one) => one.idle ?? []);
    expect(Date.parse(idle?.endsAt ?? '') - Date.parse(idle?.since ?? '')).toBe(1000);
    expect(pilotRecords().find(({ state }) => state === 'DRAINING')?.reason).toMatchObject({ code: 'IDLE' });
    await pilot.end();
  });

  it('lives longer when it is extended', async () => {
    another({ runtime: 2 });
    pilot.start();
    await pilot.pilotState('ACTIVE');
    const endsAt = new Date(Date.now() + 600_000).toISOString();
    pilot.spool([{ type: 'extend', endsAt }, pilot.task('long', ['sleep', '2.5'], { expectedDuration: '60s' })]);
    await pilot.state('long', 'DONE');
    expect(pilotRecords().at(-1)).toMatchObject({ state: 'ACTIVE', endsAt });
    await pilot.end();
  });
});

describe('the end of the time', () => {
  it('is told in time to what wants to save, which goes on elsewhere; what cannot be done is not started', async () => {
    another({ runtime: 4 });
    const saves = `trap 'echo saved > "$PILOTHOUSE_CHECKPOINT/state"; exit 0' USR1; while :; do sleep 0.05; done`;
    pilot.spool([
      pilot.task('saves', ['sh', '-c', saves], { checkpoint: 'ckpt', onWalltime: { signal: 'USR1', grace: '2s' } }),
      pilot.task('finishes', ['sh', '-c', 'trap "exit 0" USR1; while :; do sleep 0.05; done'], {
        onWalltime: { signal: 'USR1', grace: '2s' },
      }),
      pilot.task('retried', ['sleep', '600'], { retries: 1 }),
      pilot.task('cut-off', ['sleep', '600']),
      { ...pilot.task('too-long', ['true'], { expectedDuration: '1h' }), giveBack: true },
      pilot.task('bound', ['true'], { expectedDuration: '1h' }),
    ]);
    pilot.start();
    const given = await pilot.state('too-long', 'WAITING');
    expect(given.reason).toMatchObject({ code: 'GIVEN_BACK' });
    expect((await pilot.state('bound', 'SCHEDULING')).reason).toMatchObject({ code: 'WAITS_FOR_PILOT_TIME' });
    await pilot.pilotState('DONE');
    expect(readFileSync(join(pilot.work, 'ckpt', 'state'), 'utf8')).toBe('saved\n');
    expect(pilot.last('saves')).toMatchObject({ state: 'WAITING', attempt: 1, reason: { code: 'WALLTIME_OVER' } });
    expect(pilot.last('finishes')).toMatchObject({ state: 'DONE', exitCode: 0 });
    expect(pilot.last('retried')).toMatchObject({
      state: 'WAITING',
      attempt: 1,
      retries: 0,
      reason: { code: 'WALLTIME_OVER' },
    });
    expect(pilot.last('cut-off')).toMatchObject({ state: 'FAILED', error: { code: 'WALLTIME_OVER' } });
    expect(pilot.last('bound')).toMatchObject({ state: 'SCHEDULING' });
    await pilot.end();
  });
});

describe('offers', () => {
  const offer = (id: string, tasks: string[]) => ({
    ...pilot.batch(
      tasks.map((task) => ({ id: task, name: task, entry: {} })),
      { set: 's', template: { command: ['sh', '-c', 'echo $PILOTHOUSE_TASK_ID >> ran'], cores: 24 } },
    ),
    offer: id,
  });

  it('are claimed once among all pilots, and only while there is room', async () => {
    const claims = join(pilot.home, 'claims');
    mkdirSync(claims);
    // Another pilot was faster with one of them.
    writeFileSync(join(claims, 'taken'), 'pilot-other');
    const blocked = pilot.task('holds', ['sh', '-c', 'while [ ! -f go ]; do sleep 0.02; done'], { cores: 24 });
    pilot.spool([blocked, offer('taken', ['s.0', 's.1']), offer('mine', ['s.2', 's.3'])]);
    pilot.start();
    await pilot.state('s.2', 'SCHEDULING');
    const many = Array.from({ length: 40 }, (_, n) => offer(`more-${n}`, [`s.${10 + n}`]));
    pilot.spool(many);
    await pilot.state('s.10', 'SCHEDULING');
    // With a full queue the rest is left to others.
    expect(readdirSync(claims)).not.toContain('more-39');
    pilot.spool([{ type: 'cancel-tasks', tasks: ['s.49'] }]);
    writeFileSync(join(pilot.work, 'go'), '');
    for (const id of ['s.2', 's.3', 's.48']) await pilot.state(id, 'DONE');
    await until('all are claimed', () => readdirSync(claims).includes('more-39'));
    expect(pilot.tasks('s.0')).toEqual([]);
    expect(pilot.tasks('s.49')).toEqual([]);
    const claimed = pilot.journal().flatMap((one) => (one.type === 'claimed' ? [one.offer] : []));
    expect(claimed).toEqual(['mine', ...many.map((one) => one.offer)]);
    expect(readFileSync(join(claims, 'mine'), 'utf8')).toBe(pilot.id);
    await pilot.end();
  });

  it('stay the pilot’s own when its agent is killed before or after it said so', async () => {
    const claims = join(pilot.home, 'claims');
    mkdirSync(claims);
    // Linked, and then killed.
    writeFileSync(join(pilot.home, 'own'), pilot.id);
    linkSync(join(pilot.home, 'own'), join(claims, 'linked'));
    pilot.spool([offer('linked', ['s.0'])]);
    pilot.start();
    await pilot.state('s.0', 'DONE');
    pilot.spool([
      { ...offer('told', ['s.1']), batch: { ...offer('told', ['s.1']).batch, template: { command: ['sleep', '3'] } } },
    ]);
    await pilot.state('s.1', 'RUNNING');
    for (const pid of pilot.agents()) process.kill(pid, 'SIGKILL');
    await pilot.state('s.1', 'DONE');
    expect(pilot.journal().filter(({ type }) => type === 'claimed')).toHaveLength(2);
    expect(readFileSync(join(pilot.work, 'ran'), 'utf8')).toBe('s.0\n');
    await pilot.end();
    expect(existsSync(claims)).toBe(false);
  });
});
