import { describe, expect, it } from 'vitest';
import type { Capacity, Demand, Grant } from '../src/scheduler/demand.js';
import { Pool } from '../src/scheduler/pool.js';
import { Scheduler } from '../src/scheduler/scheduler.js';
import { Rig, type Wish } from './scheduler-rig.js';

const NODE: Capacity = { cores: 8, gpus: ['0', '1'], memory: 1000 };

function wish(demand: Partial<Demand>, rest: Partial<Wish> = {}): Wish {
  return { demand: { cores: 1, gpus: 0, memory: null, ...demand }, kind: 'task', ...rest };
}

function applied(rig: Rig, demand: Partial<Demand>, rest: Partial<Wish> = {}): string {
  const id = rig.apply(wish(demand, rest));
  if (id === undefined) throw new RangeError('it can never be met');
  return id;
}

describe('the scheduler', () => {
  it('lets a large one through in a stream of small ones', () => {
    const rig = new Rig([NODE], 4);
    for (let index = 0; index < 8; index += 1) applied(rig, {});
    const large = applied(rig, { cores: 8 });
    for (let round = 0; round < 30 && rig.waiting.has(large); round += 1) {
      applied(rig, {});
      rig.releaseAny(0);
    }
    expect(rig.waiting.has(large)).toBe(false);
  });

  it('starts services first, then higher priorities, then who came first, and starves none of low priority', () => {
    const rig = new Rig([NODE], 8);
    const all = applied(rig, { cores: 8 });
    const low = applied(rig, { cores: 8 }, { priority: -5 });
    const first = applied(rig, { cores: 8 });
    const second = applied(rig, { cores: 8 });
    const high = applied(rig, { cores: 8 }, { priority: 5 });
    const service = applied(rig, { cores: 8 }, { kind: 'service' });
    for (const id of [all, service, high, first, second]) rig.release(id);
    expect(rig.order).toEqual([all, service, high, first, second, low]);
    const humble = applied(rig, { cores: 8 }, { priority: -5 });
    rig.release(low);
    expect(rig.running.has(humble)).toBe(true);
    const starving = applied(rig, { cores: 8 }, { priority: -5 });
    let current = humble;
    for (let round = 0; round < 60 && rig.waiting.has(starving); round += 1) {
      applied(rig, { cores: 8 }, { priority: 5 });
      rig.release(current);
      current = rig.order.at(-1) ?? '';
    }
    expect(rig.waiting.has(starving)).toBe(false);
  });

  it('lets small ones run beside what a node is kept for, where they are not in its way', () => {
    const rig = new Rig([NODE], 1);
    const gpus = applied(rig, { cores: 1, gpus: 1 });
    const both = applied(rig, { cores: 4, gpus: 2 });
    for (let index = 0; index < 3; index += 1) applied(rig, {});
    expect(rig.scheduler.keptFor).toBe(both);
    const more = [0, 1, 2, 3].map(() => applied(rig, {}));
    // Four of the eight cores are kept. Of the others two were taken since, and two more may be.
    expect(more.map((id) => rig.running.has(id))).toEqual([true, true, false, false]);
    rig.check();
    // When what ran at that moment has ended, nothing that came later is in the way.
    for (const id of [gpus, 't.3']) rig.release(id);
    expect(rig.running.has(both)).toBe(true);
  });

  it('fills in what ends before the one in front can start', () => {
    const rig = new Rig([NODE], 1);
    applied(rig, { cores: 6 }, { expects: 100 });
    const large = applied(rig, { cores: 8 });
    applied(rig, { cores: 1 }, { expects: 100 });
    expect(rig.scheduler.keptFor).toBe(large);
    expect(rig.running.has(applied(rig, {}, { expects: 101 }))).toBe(false);
    expect(rig.running.has(applied(rig, {}))).toBe(false);
    expect(rig.running.has(applied(rig, {}, { expects: 20 }))).toBe(true);
  });

  it('lets so many that take nothing run at once and no more, and nobody else waits for them', () => {
    const rig = new Rig([{ cores: 1, gpus: [], memory: null }]);
    const light = Array.from({ length: 200 }, () => applied(rig, { cores: 0 }));
    expect(rig.running.size).toBe(96);
    expect(rig.reasons.get(light[96] ?? '')).toBe(
      'waits for another to end; 96 without a core of their own run already',
    );
    const heavy = applied(rig, {});
    const next = applied(rig, {});
    expect([rig.running.has(heavy), rig.running.has(next)]).toEqual([true, false]);
    for (const id of light) rig.release(id);
    expect(rig.scheduler.waiting).toBe(1);
  });

  it('packs parts of GPUs on one device and shows each task that device', () => {
    const pool = new Pool(NODE);
    const scheduler = new Scheduler(pool);
    scheduler.begin();
    const grants: Grant[] = [];
    for (const [index, gpus] of [0.5, 1, 0.25, 0.25].entries()) {
      scheduler.apply({
        id: `g.${index}`,
        ...wish({ gpus }),
        granted: (one) => grants.push(one),
        waits: () => undefined,
      });
    }
    expect(grants.map(({ gpus }) => gpus)).toEqual([['0'], ['1'], ['0'], ['0']]);
    expect(grants[2]?.nodes[0]?.gpus).toEqual([{ index: 0, part: 0.25 }]);
    expect(pool.used.gpus).toBe(2);
  });

  it('spreads slots over exactly the nodes asked for, or packs them on few', () => {
    const rig = new Rig([NODE, NODE, NODE]);
    const spread = applied(rig, { cores: 2, slots: 5, nodes: 3 });
    expect(rig.running.get(spread)?.grant.nodes.map(({ slots }) => slots)).toEqual([2, 2, 1]);
    rig.release(spread);
    const packed = applied(rig, { cores: 2, slots: 4 });
    expect(rig.running.get(packed)?.grant.nodes).toMatchObject([{ slots: 4, cores: [0, 1, 2, 3, 4, 5, 6, 7] }]);
  });

  it('starts all of very many kinds of slots in the end', () => {
    const rig = new Rig([NODE, NODE]);
    for (let kind = 0; kind < 300; kind += 1)
      applied(rig, { cores: 1 + (kind % 4), memory: 1 + kind, slots: 2 + (kind % 3) });
    for (let ended = 0; rig.running.size > 0; ended += 1) {
      rig.releaseAny(ended * 7);
      if (ended % 20 === 0) rig.check();
    }
    expect(rig.order).toHaveLength(300);
  });

  it('puts near what should be near, and apart what should be apart', () => {
    const rig = new Rig([NODE, NODE]);
    const nodeOf = (id: string) => rig.running.get(id)?.grant.nodes[0]?.node;
    const filler = applied(rig, { cores: 7 });
    const db = applied(rig, { cores: 4, tags: ['db'] });
    const client = applied(rig, { near: ['db'] });
    const other = applied(rig, { apart: ['db'] });
    expect([nodeOf(filler), nodeOf(db), nodeOf(client), nodeOf(other)]).toEqual([0, 1, 1, 0]);
    const alone = [0, 1, 2].map(() => applied(rig, { tags: ['w'], apart: ['w'], cores: 0 }));
    expect(alone.map(nodeOf)).toEqual([0, 1, undefined]);
    expect(rig.reasons.get(alone[2] ?? '')).toBe(
      'waits for room on a node without "w" where nothing keeps apart from "w"',
    );
  });

  it('waits for what it wants to be near to, if that came earlier', () => {
    const rig = new Rig([NODE]);
    const all = applied(rig, { cores: 7 });
    const db = applied(rig, { cores: 4, tags: ['db'] });
    const client = applied(rig, { near: ['db'] });
    expect(rig.reasons.get(client)).toBe('waits for "db", which came earlier and waits itself');
    rig.release(all);
    expect([rig.running.has(db), rig.running.has(client)]).toEqual([true, true]);
  });

  it('does not start what would not end in time, says so with numbers, and does when the pilot is extended', () => {
    const rig = new Rig([NODE]);
    rig.scheduler.setEnd(rig.time + 3600_000);
    const long = applied(rig, {}, { expects: 7200 });
    expect(rig.reasons.get(long)).toMatch(/^takes 2 h, and the pilot ends in 1 h, at \d\d:\d\d$/);
    const short = applied(rig, {}, { expects: 3600 });
    expect([rig.running.has(long), rig.running.has(short)]).toEqual([false, true]);
    rig.scheduler.setEnd(rig.time + 7200_000);
    expect(rig.running.has(long)).toBe(true);
  });

  it('explains with evidence: what is short, who holds it until when, and who is before it', () => {
    const rig = new Rig([{ ...NODE, gpus: ['0', '1', '2', '3'] }]);
    const holds = applied(rig, { gpus: 3 }, { expects: 7200 });
    const first = applied(rig, { gpus: 4 });
    const waits = applied(rig, { gpus: 2 });
    const until = new Date(rig.time + 7200_000);
    const clock = `${String(until.getHours()).padStart(2, '0')}:${String(until.getMinutes()).padStart(2, '0')}`;
    expect(rig.scheduler.explain(waits)).toEqual({
      text: `waits for 2 GPUs; 1 of 4 is free; ${holds} holds 3 until ${clock}`,
      evidence: [
        `${holds} holds 3 until ${clock}`,
        `number 2 of 2 who wait; the first is ${first}, which needs 1 core and 4 GPUs`,
      ],
    });
    expect(rig.scheduler.explain(holds)).toBeUndefined();
  });

  it('is held until what ran before is booked, and while it is suspended', () => {
    const scheduler = new Scheduler(new Pool(NODE));
    const granted: string[] = [];
    const reasons: string[] = [];
    const apply = (id: string) =>
      scheduler.apply({ id, ...wish({}), granted: () => granted.push(id), waits: ({ code }) => reasons.push(code) });
    apply('new');
    scheduler.book({ id: 'old', ...wish({ cores: 7 }) });
    expect([granted, reasons]).toEqual([[], []]);
    scheduler.begin();
    apply('more');
    expect([granted, reasons]).toEqual([['new'], ['WAITS_FOR_CORES']]);
    scheduler.hold({ code: 'SUSPENDED', text: 'the pilot is suspended' });
    expect(scheduler.withdraw('more')).toBe(true);
    apply('later');
    expect(scheduler.explain('later')?.text).toBe('the pilot is suspended');
    expect([granted, reasons]).toEqual([['new'], ['WAITS_FOR_CORES', 'SUSPENDED']]);
  });

  it('books the very GPUs that something running has', () => {
    const scheduler = new Scheduler(new Pool(NODE));
    expect(scheduler.book({ id: 'old', ...wish({ gpus: 1 }) }, [{ gpus: ['1'] }]).gpus).toEqual(['1']);
    scheduler.begin();
    let gpus: readonly string[] = [];
    scheduler.apply({ id: 'new', ...wish({ gpus: 1 }), granted: (one) => (gpus = one.gpus), waits: () => undefined });
    expect(gpus).toEqual(['0']);
  });

  it('tells what can never be met', () => {
    const pool = new Pool([NODE, { ...NODE, cores: 4, gpus: [] }]);
    const text = (demand: Partial<Demand>) => pool.impossible(wish(demand).demand)?.text;
    expect(new Pool(NODE).impossible(wish({ cores: 9 }).demand)).toEqual({
      field: 'cores',
      text: 'needs 9 cores, the pilot has 8',
    });
    expect(text({ cores: 9 })).toBe('needs 9 cores on one node, the largest has 8');
    expect(text({ gpus: 3 })).toBe('needs 3 GPUs on one node, the largest has 2');
    expect(text({ memory: 1001 })).toBe('needs 1001 B of memory on one node, the largest has 1000 B');
    expect(text({ nodes: 3 })).toBe('needs 3 nodes, the pilot has 2');
    expect(text({ cores: 8, nodes: 2 })).toBe('needs 2 nodes with 8 cores each, the pilot has 1');
    expect(text({ cores: 4, slots: 4 })).toBe('needs 4 × 4 cores, the pilot has room for 3');
    expect(text({ cores: 8, gpus: 2, memory: 1000 })).toBeUndefined();
  });
});
