import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InstanceState, instanceStates, type ServiceSpec } from '@pilothouse/sdk/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestBridge } from './bridge.js';
import { probe, TestPilot, until } from './pilot.js';

const SCRIPT = new URL('./servers/service.py', import.meta.url).pathname;
const COMMAND = ['/usr/bin/python3', SCRIPT, '{port}'];

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot();
});
afterEach(() => pilot.destroy());

const SCALE = { min: 1, max: 3, target: 2, upAfter: 0.1, downAfter: 0.5 };

function instances(count: number): ServiceSpec['instances'] {
  return Array.from({ length: count }, (_, number) => ({ id: `llm.${number + 1}`, index: number + 1 }));
}

/** Last state of each instance of a service, by id. */
function states(service = 'llm'): Map<string, InstanceState> {
  return new Map(pilot.instances(service).map(({ id, state }) => [id, state]));
}

function inState(state: InstanceState, service = 'llm'): string[] {
  return [...states(service)].flatMap(([id, one]) => (one === state ? [id] : []));
}

function live(service = 'llm'): string[] {
  return [...states(service)].flatMap(([id, state]) => (instanceStates.isFinal(state) ? [] : [id]));
}

/** Waits until so many are ready and no others are there. */
function settled(count: number, service = 'llm'): Promise<unknown> {
  return until(
    `${count} are ready and no others there`,
    () => inState('READY', service).length === count && live(service).length === count,
    () => `${JSON.stringify([...states(service)])}\n${pilot.log()}`,
  );
}

/** What was said about the number of instances. */
function whys(service = 'llm'): string[] {
  return pilot
    .journal()
    .flatMap((one) => (one.type === 'service' && one.id === service && one.scale?.why ? [one.scale.why] : []));
}

describe('a service', () => {
  it('gets more and fewer instances when it is told to, with numbers that are used again', async () => {
    pilot.spool([pilot.service('llm', COMMAND)]);
    pilot.start();
    await settled(1);
    pilot.spool([{ type: 'scale', service: 'llm', min: 3, max: 3 }]);
    await settled(3);
    const added = pilot.instances('llm').filter(({ index }) => index !== undefined);
    expect(added.map(({ index }) => index)).toEqual([1, 2, 3]);
    pilot.spool([{ type: 'scale', service: 'llm', min: 1, max: 1 }]);
    await settled(1);
    expect(inState('STOPPED')).toHaveLength(2);
    // The first one has done nothing to deserve it: the youngest go.
    expect(inState('READY')).toEqual(['llm.instance']);
    pilot.spool([{ type: 'scale', service: 'llm', min: 2, max: 2 }]);
    await settled(2);
    expect(pilot.instances('llm').findLast(({ index }) => index !== undefined)?.index).toBe(2);
    expect(whys()).toEqual(['1 → 3: asked for', '3 → 1: asked for', '1 → 2: asked for']);
    await pilot.end();
  });

  it('drains an instance: what it has is answered first', async () => {
    const bridge = await TestBridge.open(pilot);
    pilot.spool([pilot.service('llm', COMMAND, { instances: instances(2) })]);
    pilot.start();
    await settled(2);
    bridge.send({ type: 'load', services: { llm: { outstanding: 1, queued: 0 } }, instances: { 'llm.1': 1 } });
    pilot.spool([{ type: 'drain', service: 'llm', instance: 'llm.1' }]);
    await until('it takes nothing new', () => pilot.instances('llm').some(({ draining }) => draining));
    // A beat later it is still there, since its request is.
    const beats = bridge.of('beat').length;
    await until('two beats later', () => bridge.of('beat').length >= beats + 2);
    expect(states().get('llm.1')).toBe('READY');
    bridge.send({ type: 'load', services: { llm: { outstanding: 0, queued: 0 } }, instances: {} });
    await until('it has stopped', () => states().get('llm.1') === 'STOPPED');
    expect(states().get('llm.2')).toBe('READY');
    // Of a fixed number one fewer stays, also after a new start of the agent.
    const [agent = 0] = pilot.agents();
    process.kill(agent, 'SIGKILL');
    await until('another agent is there', () => bridge.of('hello').some(({ epoch }) => epoch === 2));
    pilot.spool([{ type: 'drain', service: 'llm' }]);
    await until('all have stopped', () => live().length === 0);
    expect(states().size).toBe(2);
    bridge.close();
    await pilot.end();
  });

  it('is restarted one instance after the other, once, whatever becomes of the agent', async () => {
    const log = join(pilot.work, 'starts');
    pilot.spool([pilot.service('llm', [...COMMAND, '--log', log], { instances: instances(3) })]);
    pilot.start();
    await settled(3);
    const before = pilot.instances('llm').length;
    pilot.spool([{ type: 'restart', service: 'llm' }]);
    await until('the first is restarted', () =>
      pilot.instances('llm').some(({ reason }) => reason?.code === 'RESTARTING'),
    );
    const [agent = 0] = pilot.agents();
    process.kill(agent, 'SIGKILL');
    const starts = () => readFileSync(log, 'utf8').trim().split('\n').length;
    await until(
      'all were started a second time',
      () => starts() === 6 && inState('READY').length === 3,
      () => `${JSON.stringify(pilot.instances('llm').slice(before), null, 0)}\n${pilot.log()}`,
    );
    // One after the other: never are two of them out at a time.
    const out = new Set<string>();
    for (const { id, state } of pilot.instances('llm').slice(before)) {
      if (state === 'READY') out.delete(id);
      else out.add(id);
      expect(out.size).toBeLessThanOrEqual(1);
    }
    pilot.spool([{ type: 'restart', service: 'llm', instance: 'llm.2' }]);
    await until('one was started a third time', () => starts() === 7 && inState('READY').length === 3);
    expect(pilot.instances('llm').findLast(({ reason }) => reason?.code === 'RESTARTING')?.id).toBe('llm.2');
    await pilot.end();
  });

  it('follows what there is to do, to zero and back, and says why', async () => {
    const bridge = await TestBridge.open(pilot);
    const scale = { ...SCALE, min: 0 };
    pilot.spool([pilot.service('llm', COMMAND, { instances: [], scale })]);
    pilot.start();
    await until('it is known to sleep', () =>
      pilot.journal().some((one) => one.type === 'service' && one.scale?.wanted === 0),
    );
    const load = (outstanding: number, queued: number) =>
      bridge.send({ type: 'load', services: { llm: { outstanding, queued } } });
    await until('the bridge is connected', () => bridge.of('beat').length > 0);
    load(0, 1);
    await settled(1);
    load(2, 40);
    await settled(3);
    load(0, 0);
    await settled(0);
    expect(whys()[0]).toBe('0 → 1: 1 request to answer');
    expect(whys()[1]).toMatch(/^1 → 2: 42 requests for 1 instance, for /);
    expect(whys().at(-1)).toMatch(/^[123] → 0: no requests, for /);
    // A task that names it needs it, with or without a bridge.
    bridge.close();
    pilot.spool([pilot.task('asks', ['true'], { services: ['llm'] })]);
    await pilot.state('asks', 'DONE');
    expect(whys()).toContain('0 → 1: something waits for it');
    await settled(0);
    await pilot.end();
  });

  it('takes no more instances than the pilot can hold', async () => {
    const bridge = await TestBridge.open(pilot);
    const wide = { cores: 10, scale: SCALE, instances: instances(1) };
    pilot.spool([pilot.service('llm', COMMAND, wide)]);
    pilot.start();
    await settled(1);
    await until('the bridge is connected', () => bridge.of('beat').length > 0);
    bridge.send({ type: 'load', services: { llm: { outstanding: 50, queued: 50 } } });
    await settled(2);
    await until('it says so', () =>
      whys().includes('stays at 2: there is more to do, but the pilot has no room for more'),
    );
    expect(live()).toHaveLength(2);
    bridge.close();
    await pilot.end();
  });

  it('ends when nobody has used it for so long, or its time is over; what a task uses stays', async () => {
    const go = join(pilot.work, 'go');
    const lifetime = { until: null, idle: 0.3 };
    pilot.spool([
      pilot.service('idle', COMMAND, { lifetime }),
      pilot.service('used', COMMAND, { lifetime }),
      pilot.service('late', COMMAND, { lifetime: { until: new Date(Date.now() + 1000).toISOString(), idle: null } }),
      pilot.task('uses', ['sh', '-c', `while [ ! -e ${go} ]; do sleep 0.05; done`], { services: ['used'] }),
    ]);
    pilot.start();
    await pilot.state('idle', 'STOPPED');
    await pilot.state('late', 'STOPPED');
    const endings = () =>
      new Map(
        pilot.journal().flatMap((one) => (one.type === 'service' && one.ending ? [[one.id, one.ending.code]] : [])),
      );
    expect(endings()).toEqual(
      new Map([
        ['idle', 'IDLE'],
        ['late', 'LIFETIME_OVER'],
      ]),
    );
    expect(pilot.last('used')?.state).toBe('READY');
    writeFileSync(go, '');
    await pilot.state('used', 'STOPPED');
    expect(endings().get('used')).toBe('IDLE');
    await pilot.end();
  });
});

describe('services start', () => {
  it('after others and after tasks, and before others; a circle is refused', async () => {
    const go = join(pilot.work, 'go');
    const waits = `while [ ! -e ${go} ]; do sleep 0.05; done`;
    pilot.spool([
      pilot.task('weights', ['sh', '-c', waits]),
      pilot.service('embed', COMMAND, { after: ['weights'] }),
      pilot.service('rerank', COMMAND, { after: ['embed'], instances: instances(2) }),
      pilot.service('front', COMMAND, { after: ['circle'] }),
      pilot.service('circle', COMMAND, { after: ['front'] }),
      pilot.service('last', COMMAND, { after: ['weights'] }),
      pilot.service('guard', COMMAND, { before: ['last'], after: ['rerank'] }),
    ]);
    pilot.start();
    expect(await pilot.state('embed', 'WAITING')).toMatchObject({
      reason: { code: 'WAITS_FOR_TASKS', text: 'waits for task weights' },
    });
    expect(await pilot.state('rerank', 'WAITING')).toMatchObject({
      reason: { code: 'WAITS_FOR_SERVICE', text: 'waits for service embed' },
    });
    expect((await pilot.state('front', 'FAILED')).error?.message).toBe('front and circle wait for each other');
    writeFileSync(go, '');
    await pilot.state('last', 'READY');
    const order = pilot
      .journal()
      .flatMap((one) => (one.type === 'instance' && one.state === 'READY' && one.probe ? [one.service] : []));
    expect([...new Set(order)]).toEqual(['embed', 'rerank', 'guard', 'last']);
    await pilot.end();
  });

  it('not where what comes first has failed', async () => {
    pilot.spool([
      pilot.task('weights', ['false']),
      pilot.service('embed', COMMAND, { after: ['weights'], probes: fast() }),
      pilot.service('rerank', COMMAND, { after: ['embed'], probes: fast() }),
    ]);
    pilot.start();
    expect((await pilot.state('embed', 'FAILED')).error?.code).toBe('DEPENDENCY_FAILED');
    expect((await pilot.state('rerank', 'FAILED')).error?.code).toBe('DEPENDENCY_FAILED');
    await pilot.end();
  });
});

function fast(): ServiceSpec['probes'] {
  return { startup: null, readiness: probe({}), liveness: probe({}) };
}
