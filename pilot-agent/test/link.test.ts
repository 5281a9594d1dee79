import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestBridge } from './bridge.js';
import { TestPilot, until } from './pilot.js';

let pilot: TestPilot;
const bridges: TestBridge[] = [];
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => {
  for (const bridge of bridges.splice(0)) bridge.close();
  pilot.destroy();
});

async function bridgeOf(epoch = 1): Promise<TestBridge> {
  const bridge = await TestBridge.open(pilot, epoch);
  bridges.push(bridge);
  return bridge;
}

describe('the link to the bridge', () => {
  it('carries the whole journal, each record once and in order', async () => {
    const bridge = await bridgeOf();
    pilot.start();
    await until('it says hello', () => bridge.of('hello').length > 0);
    const records = pilot.spool([pilot.task('one', ['echo', 'hi'])]);
    bridge.send({ type: 'spool', records });
    await pilot.state('one', 'DONE');
    pilot.spool([{ type: 'end' }]);
    await pilot.pilotState('DONE');
    await until('it has heard of the end', () => bridge.events.at(-1)?.seq === pilot.journal().at(-1)?.seq);
    expect(bridge.events).toEqual(pilot.journal());
    await pilot.end();
  });

  it('starts a task from an inline record, and once only when the file holds it too', async () => {
    const bridge = await bridgeOf();
    pilot.start();
    await until('it says hello', () => bridge.of('hello').length > 0);
    const records = pilot.spool([pilot.task('one', ['sh', '-c', 'echo ran >> ran'])]);
    bridge.send({ type: 'spool', records });
    bridge.send({ type: 'spool', records });
    await pilot.state('one', 'DONE');
    const after = pilot.spool([pilot.task('two', ['true'])]);
    bridge.send({ type: 'spool', records: [...records, ...after] });
    await pilot.state('two', 'DONE');
    expect(readFileSync(join(pilot.work, 'ran'), 'utf8')).toBe('ran\n');
    await pilot.end();
  });

  it('goes on with the next bridge where that one stands', async () => {
    const first = await bridgeOf(1);
    pilot.spool([pilot.task('one', ['true'])]);
    pilot.start();
    await until('the first has heard of its end', () =>
      first.events.some((one) => one.type === 'task' && one.state === 'DONE'),
    );
    first.close();
    pilot.spool([pilot.task('two', ['true'])]);
    await pilot.state('two', 'DONE');
    const second = await bridgeOf(2);
    await until('the second has everything', () => second.events.length === pilot.journal().length);
    expect(second.events).toEqual(pilot.journal());
    pilot.spool([pilot.task('three', ['true'])], 2);
    await pilot.state('three', 'DONE');
    expect(second.of('hello').at(-1)).toMatchObject({ pilot: pilot.id, epoch: 1, obeys: 1, spoolSeq: 2 });
    await pilot.end();
  });

  it('notices a bridge that fell silent, and says hello again', async () => {
    const bridge = await bridgeOf();
    pilot.start();
    await until('it says hello', () => bridge.of('hello').length > 0);
    bridge.silent = true;
    pilot.spool([pilot.task('one', ['true'])]);
    await until('its end was sent', () => bridge.dropped.some((one) => one.type === 'task' && one.state === 'DONE'));
    const hellos = bridge.of('hello').length;
    // What it sent in the meantime was not acknowledged, whatever the beats say.
    bridge.silent = false;
    await until('it says hello again', () => bridge.of('hello').length > hellos);
    await until('nothing was lost', () => bridge.events.length === pilot.journal().length);
    expect(bridge.events).toEqual(pilot.journal());
    await pilot.end();
  });

  it('refuses what an overtaken bridge still writes', async () => {
    await bridgeOf(1);
    pilot.spool([pilot.task('one', ['true'])]);
    pilot.start();
    await pilot.state('one', 'DONE');
    const second = await bridgeOf(2);
    await until('it obeys the second', () => second.of('hello').length > 0);
    pilot.spool([pilot.task('two', ['true'])], 2);
    await pilot.state('two', 'DONE');
    pilot.spool([pilot.task('late', ['true'])], 1, 2);
    const refused = await until('it is refused', () => pilot.journal().find((one) => one.type === 'refused'));
    expect(refused).toMatchObject({ spoolSeq: 2, error: { code: 'OWNERSHIP_MOVED' } });
    pilot.spool([pilot.task('three', ['true'])], 2, 3);
    await pilot.state('three', 'DONE');
    expect(pilot.last('late')).toBeUndefined();
    // The next agent neither obeys it nor refuses it a second time.
    const [agent = 0] = pilot.agents();
    process.kill(agent, 'SIGKILL');
    pilot.spool([pilot.task('four', ['true'])], 2);
    await pilot.state('four', 'DONE');
    expect(pilot.journal().filter((one) => one.type === 'refused')).toHaveLength(1);
    expect(pilot.last('late')).toBeUndefined();
    await pilot.end();
  });

  it('refuses a damaged line of the spool, names it, and goes on after it', async () => {
    pilot.spool([pilot.task('one', ['true'])]);
    appendFileSync(join(pilot.folder, 'spool', '1.jsonl'), '{"seq": 2, "nonsense\n');
    pilot.spool([pilot.task('three', ['true'])], 1, 3);
    pilot.start();
    await pilot.state('three', 'DONE');
    const refused = pilot.journal().find((one) => one.type === 'refused');
    expect(refused).toMatchObject({ error: { code: 'LOG_DAMAGED' } });
    expect(refused?.type === 'refused' ? refused.error.message : '').toContain('1.jsonl:2');
    await pilot.end();
  });

  it('gives pieces of output, while it grows and when it is packed, and never half a character', async () => {
    const bridge = await bridgeOf();
    const script = 'printf "täglich\\n"; echo oops >&2; while [ ! -e go ]; do sleep 0.02; done; printf "ende ✓\\n"';
    pilot.spool([pilot.task('writes', ['sh', '-c', script])]);
    pilot.spool([pilot.task('waits', ['true'], { cores: 24 })]);
    pilot.start();
    await pilot.state('writes', 'RUNNING');
    await until('it says hello', () => bridge.of('hello').length > 0);
    let re = 0;
    const read = async (stream: 'stdout' | 'stderr', offset: number, limit = 1000, id = 'writes') => {
      re += 1;
      const mine = re;
      bridge.send({ type: 'log', re: mine, id, stream, offset, limit });
      const reply = await until('the reply', () => bridge.of('reply').find((frame) => frame.re === mine));
      return reply.log;
    };
    await until('it has written', async () => (await read('stdout', 0))?.text === 'täglich\n');
    expect(await read('stdout', 0, 2)).toMatchObject({ text: 't', next: 1, size: 9, complete: false });
    expect(await read('stdout', 1, 2)).toMatchObject({ text: 'ä', next: 3, complete: false });
    expect(await read('stderr', 0)).toMatchObject({ text: 'oops\n' });
    expect(await read('stdout', 0, 1000, 'waits')).toEqual({ text: '', offset: 0, next: 0, size: 0, complete: false });
    expect(await read('stdout', 0, 1000, 'unknown')).toBeUndefined();
    pilot.spool([pilot.task('go', ['touch', 'go'])]);
    await pilot.state('writes', 'DONE');
    expect(await read('stdout', 9)).toMatchObject({ text: 'ende ✓\n', next: 18, size: 18, complete: true });
    expect(await read('stdout', 14, 2)).toMatchObject({ complete: false });
    expect(await read('stdout', 500)).toMatchObject({ text: '', complete: true });
    await pilot.end();
  });
});
