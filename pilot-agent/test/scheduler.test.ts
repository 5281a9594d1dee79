import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Demand, type Grant, Pool } from '../src/scheduler/pool.js';
import { type Priority, Scheduler } from '../src/scheduler/scheduler.js';

const CAPACITY = { cores: 8, gpus: ['0', '1'], memory: 1000 };

const demand = fc.record<Demand>({
  cores: fc.integer({ min: 1, max: 8 }),
  gpus: fc.integer({ min: 0, max: 2 }),
  memory: fc.option(fc.integer({ min: 0, max: 1000 })),
});
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('apply' as const),
      demand,
      priority: fc.constantFrom<Priority>('task', 'service'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), which: fc.nat() }) },
);

/** Drives a scheduler, and knows what it ought to know. */
class Rig {
  readonly pool = new Pool(CAPACITY);
  readonly scheduler: Scheduler;
  readonly running: { id: number; grant: Grant }[] = [];
  readonly waiting = new Map<number, { demand: Demand; priority: Priority; passedBy: number }>();
  readonly reasons = new Map<number, string>();
  #next = 0;

  constructor(mayPass: number) {
    this.scheduler = new Scheduler(this.pool, mayPass);
    this.scheduler.begin();
  }

  apply(wanted: Demand, priority: Priority): number {
    this.#next += 1;
    const id = this.#next;
    this.waiting.set(id, { demand: wanted, priority, passedBy: 0 });
    this.scheduler.apply({
      id: String(id),
      demand: wanted,
      priority,
      granted: (grant) => {
        this.waiting.delete(id);
        for (const [other, one] of this.waiting) if (other < id && one.priority === priority) one.passedBy += 1;
        this.running.push({ id, grant });
        this.check();
      },
      waits: ({ text }) => this.reasons.set(id, text),
    });
    return id;
  }

  release(which: number): void {
    const [one] = this.running.splice(which % Math.max(1, this.running.length), 1);
    if (one) this.scheduler.release(one.grant);
  }

  withdraw(which: number): void {
    const id = [...this.waiting.keys()][which % Math.max(1, this.waiting.size)];
    if (id === undefined) return;
    this.waiting.delete(id);
    expect(this.scheduler.withdraw(String(id))).toBe(true);
  }

  /** Never more than there is, no GPU twice. */
  check(): void {
    const sum = (of: (one: Demand) => number) => this.running.reduce((total, { grant }) => total + of(grant.demand), 0);
    expect(sum(({ cores }) => cores)).toBeLessThanOrEqual(CAPACITY.cores);
    expect(sum(({ memory }) => memory ?? 0)).toBeLessThanOrEqual(CAPACITY.memory);
    const gpus = this.running.flatMap(({ grant }) => grant.gpus);
    expect(new Set(gpus).size).toBe(gpus.length);
    for (const { grant } of this.running) expect(grant.gpus).toHaveLength(grant.demand.gpus);
    expect(this.pool.used).toEqual({
      cores: sum(({ cores }) => cores),
      gpus: gpus.length,
      memory: sum(({ memory }) => memory ?? 0),
    });
  }
}

describe('the scheduler', () => {
  it('never grants more than there is, and lets nothing be passed more often than it may', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 5 }), (steps, mayPass) => {
        const rig = new Rig(mayPass);
        for (const one of steps) {
          if (one.do === 'apply') rig.apply(one.demand, one.priority);
          else if (one.do === 'release') rig.release(one.which);
          else rig.withdraw(one.which);
          rig.check();
          for (const { passedBy } of rig.waiting.values()) expect(passedBy).toBeLessThanOrEqual(mayPass);
        }
      }),
    );
  });

  it('starves nobody: when what runs ends, everything that waits is started', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(demand, fc.constantFrom<Priority>('task', 'service')), { maxLength: 60 }),
        (wanted) => {
          const rig = new Rig(3);
          for (const [one, priority] of wanted) rig.apply(one, priority);
          for (let left = wanted.length; left > 0; left -= 1) rig.release(0);
          expect(rig.waiting.size).toBe(0);
          expect(rig.pool.used).toEqual({ cores: 0, gpus: 0, memory: 0 });
        },
      ),
    );
  });

  it('lets a large one through in a stream of small ones', () => {
    const rig = new Rig(4);
    for (let index = 0; index < 8; index += 1) rig.apply({ cores: 1, gpus: 0, memory: null }, 'task');
    const large = rig.apply({ cores: 8, gpus: 0, memory: null }, 'task');
    for (let round = 0; round < 30 && rig.waiting.has(large); round += 1) {
      rig.apply({ cores: 1, gpus: 0, memory: null }, 'task');
      rig.release(0);
    }
    expect(rig.waiting.has(large)).toBe(false);
  });

  it('lets so many that take nothing run at once and no more, and nobody else waits for them', () => {
    const scheduler = new Scheduler(new Pool({ cores: 1, gpus: [], memory: null }), 4);
    scheduler.begin();
    const grants = new Map<string, Grant>();
    const reasons = new Map<string, string>();
    const apply = (id: string, cores: number) =>
      scheduler.apply({
        id,
        demand: { cores, gpus: 0, memory: null },
        priority: 'task',
        granted: (grant) => grants.set(id, grant),
        waits: ({ text }) => reasons.set(id, text),
      });
    for (let index = 1; index <= 200; index += 1) apply(`light-${index}`, 0);
    expect(grants.size).toBe(96);
    expect(reasons.get('light-97')).toBe('waits for another to end; 96 without a core of their own run already');
    apply('heavy', 1);
    apply('next', 1);
    expect([grants.has('heavy'), grants.has('next')]).toEqual([true, false]);
    for (let index = 1; index <= 200; index += 1) {
      const grant = grants.get(`light-${index}`);
      if (grant) scheduler.release(grant);
    }
    expect(grants.size).toBe(201);
    expect(scheduler.waiting).toBe(1);
  });

  it('starts services before tasks, and says in words what is short', () => {
    const rig = new Rig(16);
    rig.apply({ cores: 8, gpus: 2, memory: 600 }, 'task');
    const task = rig.apply({ cores: 1, gpus: 0, memory: null }, 'task');
    const service = rig.apply({ cores: 8, gpus: 0, memory: null }, 'service');
    expect(rig.reasons.get(task)).toBe('waits for 1 core; 8 of 8 busy');
    rig.release(0);
    expect(rig.running.map(({ id }) => id)).toEqual([service]);
    rig.release(0);
    expect(rig.running.map(({ id }) => id)).toEqual([task]);
    rig.apply({ cores: 1, gpus: 2, memory: 600 }, 'task');
    expect(rig.reasons.get(rig.apply({ cores: 1, gpus: 1, memory: null }, 'task'))).toBe(
      'waits for 1 GPU; 2 of 2 busy',
    );
    expect(rig.reasons.get(rig.apply({ cores: 1, gpus: 0, memory: 500 }, 'task'))).toContain('waits for 500');
  });

  it('is held until what ran before is booked', () => {
    const scheduler = new Scheduler(new Pool(CAPACITY));
    const granted: string[] = [];
    const apply = (id: string, cores: number) =>
      scheduler.apply({
        id,
        demand: { cores, gpus: 0, memory: null },
        priority: 'task',
        granted: () => granted.push(id),
        waits: () => undefined,
      });
    apply('new', 1);
    scheduler.pool.book({ cores: 7, gpus: 0, memory: null });
    expect(granted).toEqual([]);
    scheduler.begin();
    apply('more', 1);
    expect(granted).toEqual(['new']);
    expect(scheduler.waiting).toBe(1);
  });

  it('books the very GPUs that something running has', () => {
    const pool = new Pool(CAPACITY);
    const grant = pool.book({ cores: 1, gpus: 1, memory: null }, ['1']);
    expect(grant.gpus).toEqual(['1']);
    expect(pool.take({ cores: 1, gpus: 1, memory: null }).gpus).toEqual(['0']);
  });

  it('tells what can never be met', () => {
    const pool = new Pool(CAPACITY);
    expect(pool.impossible({ cores: 9, gpus: 0, memory: null })).toEqual({
      field: 'cores',
      text: 'needs 9 cores, the pilot has 8',
    });
    expect(pool.impossible({ cores: 1, gpus: 3, memory: null })?.field).toBe('gpus');
    expect(pool.impossible({ cores: 1, gpus: 0, memory: 1001 })?.field).toBe('memory');
    expect(pool.impossible({ cores: 8, gpus: 2, memory: 1000 })).toBeUndefined();
  });
});
