import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PilothouseError } from '../src/errors/index.js';
import { Balancer } from '../src/routing/balancer.js';
import { PrefixTable } from '../src/routing/prefix-table.js';
import type { BalancerClock, BalancerSettings, Grant } from '../src/routing/types.js';
import { type RoutingPolicy, routingPolicySchema } from '../src/schemas/routing.js';

const POLICIES = routingPolicySchema.options;

const SETTINGS: BalancerSettings = {
  policy: 'least-outstanding',
  weights: {},
  concurrency: 4,
  queue: 100,
  ejectAfter: 3,
  slowStart: 0,
};

/** Time that passes when the test says so. */
class TestClock implements BalancerClock {
  #now = 1_000_000;
  #timers = new Set<{ readonly at: number; readonly work: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, work: () => void): () => void {
    const timer = { at: this.#now + milliseconds, work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  pass(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.work();
    }
    this.#now = until;
  }
}

/** The same numbers for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function make(settings: Partial<BalancerSettings>, count: number, clock = new TestClock(), seed = 1): Balancer {
  const balancer = new Balancer({ ...SETTINGS, ...settings }, { name: 'llm', clock, random: seeded(seed) });
  balancer.update(candidates(count));
  return balancer;
}

const candidates = (count: number) => Array.from({ length: count }, (_, at) => ({ id: `i${at + 1}`, index: at + 1 }));
const take = (balancer: Balancer, wish = {}): Grant => {
  const grant = balancer.tryAcquire(wish);
  if (grant === undefined) throw new Error('no place is free');
  return grant;
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

type Step =
  | { readonly kind: 'ask'; readonly priority: number; readonly instance: number | undefined }
  | { readonly kind: 'done' | 'fail' | 'leave' | 'flip'; readonly which: number }
  | { readonly kind: 'pass'; readonly milliseconds: number };

const which = fc.nat(11);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      priority: fc.constantFrom(-1, 0, 0, 5),
      instance: fc.constantFrom(undefined, undefined, undefined, 2),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('done' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('fail' as const, 'leave' as const, 'flip' as const), which }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.nat(40_000) }) },
);

describe('balancer', () => {
  test('limits hold, places are given once, turns are kept, and nobody waits while a place is free', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...POLICIES),
        fc.integer(),
        fc.array(step, { maxLength: 80 }),
        async (policy, seed, steps) => {
          const clock = new TestClock();
          const balancer = make({ policy, concurrency: 2, queue: 6, ejectAfter: 2 }, 3, clock, seed);
          const open = new Set([1, 2, 3]);
          const held: Grant[] = [];
          const waiting = new Map<
            number,
            { control: AbortController; priority: number; instance: number | undefined }
          >();
          let asked = 0;
          for (const one of steps) {
            if (one.kind === 'ask') {
              const { priority, instance } = one;
              const number = asked++;
              const control = new AbortController();
              const full = balancer.queued === 6;
              waiting.set(number, { control, priority, instance });
              balancer
                .acquire({
                  signal: control.signal,
                  priority,
                  instance,
                  session: `s${number % 3}`,
                  prefix: 'x'.repeat(200),
                })
                .then(
                  (grant) => {
                    const me = waiting.get(number);
                    waiting.delete(number);
                    held.push(grant);
                    expect(instance === undefined || grant.candidate.index === instance).toBe(true);
                    // Nobody of the same wish was here before, at this priority or a higher one.
                    for (const [other, { priority: theirs, instance: wish }] of waiting) {
                      if (wish === instance && me !== undefined) expect(theirs < priority || other > number).toBe(true);
                    }
                  },
                  (error: unknown) => {
                    waiting.delete(number);
                    if (!control.signal.aborted)
                      expect([full, Reflect.get(Object(error), 'code')]).toEqual([true, 'QUEUE_FULL']);
                  },
                );
            } else if (one.kind === 'done' || one.kind === 'fail') {
              const [grant] = held.splice(one.which % Math.max(1, held.length), 1);
              if (one.kind === 'done') grant?.succeeded(5);
              else grant?.failed('broken', one.which % 4 === 0);
              // Given back once, whatever is said later.
              grant?.dropped();
              grant?.succeeded(1);
            } else if (one.kind === 'leave') [...waiting.values()][one.which]?.control.abort(new Error('left'));
            else if (one.kind === 'flip') {
              const index = (one.which % 3) + 1;
              if (!open.delete(index)) open.add(index);
              balancer.update(candidates(3).filter((candidate) => open.has(candidate.index)));
            } else if (one.kind === 'pass') clock.pass(one.milliseconds);
            await settled();
            const counts = new Map<number, number>();
            for (const { candidate } of held) counts.set(candidate.index, (counts.get(candidate.index) ?? 0) + 1);
            for (const count of counts.values()) expect(count).toBeLessThanOrEqual(2);
            expect([balancer.outstanding, balancer.queued]).toEqual([held.length, waiting.size]);
            expect(balancer.queued).toBeLessThanOrEqual(6);
            const left = [...open].filter((index) => (counts.get(index) ?? 0) < 2);
            const away = left.filter((index) => balancer.loadOf(`i${index}`)?.ejectedUntil !== null);
            if (
              left.length > 0 &&
              away.length === 0 &&
              [...open].every((index) => balancer.loadOf(`i${index}`)?.ejectedUntil === null)
            ) {
              // One that is tried again after failures takes one request at a time while others are healthy.
              const tried = left.every((index) => (counts.get(index) ?? 0) >= 1);
              for (const { instance } of waiting.values()) {
                if (instance === undefined ? !tried : left.includes(instance) && (counts.get(instance) ?? 0) === 0) {
                  throw new Error(`a request waits although instance ${left.join(', ')} has a place`);
                }
              }
            }
          }
          // Whatever has failed comes back: in the end everybody who waits for an open instance is served.
          for (const index of [1, 2, 3]) open.add(index);
          balancer.update(candidates(3));
          for (let round = 0; round < 40 && (waiting.size > 0 || held.length > 0); round += 1) {
            for (const grant of held.splice(0)) grant.succeeded(1);
            clock.pass(31_000);
            await settled();
          }
          expect([waiting.size, balancer.queued, balancer.outstanding]).toEqual([0, 0, 0]);
        },
      ),
      { numRuns: 200 },
    );
  });

  for (const policy of POLICIES) {
    test(`${policy} gives each instance its share by weight, idle and under load`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 5 }),
          fc.integer(),
          (weights, seed) => {
            const byNumber = Object.fromEntries(weights.map((weight, at) => [String(at + 1), weight]));
            const total = weights.reduce((sum, weight) => sum + weight, 0);
            for (const depth of [1, total * 3]) {
              const balancer = make(
                { policy, weights: byNumber, concurrency: 10_000 },
                weights.length,
                undefined,
                seed,
              );
              const counts = weights.map(() => 0);
              const under: Grant[] = [];
              const requests = total * 200;
              for (let number = 0; number < requests; number += 1) {
                const session = policy === 'session-affinity' ? `s${seed}.${number}` : undefined;
                const prefix = policy === 'prefix-affinity' ? `${seed}.${number} `.repeat(20) : undefined;
                const grant = take(balancer, { session, prefix });
                counts[grant.candidate.index - 1] = (counts[grant.candidate.index - 1] ?? 0) + 1;
                under.push(grant);
                if (under.length >= depth) under.shift()?.succeeded(1);
              }
              weights.forEach((weight, at) => {
                const share = (counts[at] ?? 0) / requests;
                // Drawn ones come out as dice do.
                const slack = policy === 'power-of-two' || policy === 'session-affinity' ? 0.2 : 0.03;
                expect(Math.abs(share - weight / total)).toBeLessThan(slack);
              });
            }
          },
        ),
        { numRuns: 12 },
      );
    });
  }

  test('requests go away from what is slow, and a new instance is not flooded', () => {
    const balancer = make({}, 2);
    const stuck = [take(balancer), take(balancer)].find(({ candidate }) => candidate.id === 'i1');
    expect(stuck).toBeDefined();
    for (let round = 0; round < 20; round += 1) balancer.update(candidates(2));
    // i2 has its request too; with each that ends there, it gets the next.
    const counts = { i1: 0, i2: 0 };
    for (let round = 0; round < 20; round += 1) {
      const grant = take(balancer);
      counts[grant.candidate.id === 'i1' ? 'i1' : 'i2'] += 1;
      if (grant.candidate.id === 'i2') grant.succeeded(1);
    }
    expect(counts.i1).toBeLessThanOrEqual(3);
    const calm = make({}, 1);
    for (let round = 0; round < 50; round += 1) take(calm).succeeded(1);
    calm.update(candidates(2));
    const by = Array.from({ length: 10 }, () => {
      const grant = take(calm);
      grant.succeeded(1);
      return grant.candidate.id;
    });
    expect(by.filter((id) => id === 'i2')).toHaveLength(5);
  });

  test('one that fails is left out, tried with one request, and out for longer when it fails again', async () => {
    const clock = new TestClock();
    const balancer = make({ ejectAfter: 2 }, 2, clock);
    const failOn = (id: string): void => {
      for (let round = 0; round < 50; round += 1) {
        const grant = take(balancer);
        if (grant.candidate.id !== id) grant.succeeded(1);
        else {
          grant.failed('answered 503', false);
          return;
        }
      }
      throw new Error(`${id} gets nothing`);
    };
    failOn('i1');
    failOn('i1');
    expect(balancer.loadOf('i1')).toMatchObject({ why: 'answered 503', ejectedUntil: expect.any(String) });
    // The other one is full, and still nothing goes to the one that is left out.
    const full = Array.from({ length: 4 }, () => take(balancer));
    expect(new Set(full.map(({ candidate }) => candidate.id))).toEqual(new Set(['i2']));
    expect(balancer.tryAcquire({})).toBeUndefined();
    clock.pass(1000);
    expect(balancer.loadOf('i1')?.ejectedUntil).toBeNull();
    const trial = take(balancer);
    expect(trial.candidate.id).toBe('i1');
    expect(balancer.tryAcquire({})).toBeUndefined();
    trial.failed('answered 503', false);
    clock.pass(1999);
    expect(balancer.loadOf('i1')?.ejectedUntil).not.toBeNull();
    clock.pass(1);
    take(balancer).succeeded(1);
    expect([balancer.tryAcquire({}), balancer.tryAcquire({})]).toMatchObject([
      { candidate: { id: 'i1' } },
      { candidate: { id: 'i1' } },
    ]);
  });

  test('with no healthy one left, leaving out helps nobody', () => {
    const balancer = make({ ejectAfter: 1 }, 2);
    take(balancer).failed('down', true);
    take(balancer).failed('down', true);
    expect(balancer.tryAcquire({})).toBeDefined();
  });

  test('a session stays with its instance, and only those of one that goes away move', () => {
    const balancer = make({ policy: 'session-affinity', concurrency: 1000 }, 5);
    const home = (session: string) => take(balancer, { session }).candidate.id;
    const sessions = Array.from({ length: 200 }, (_, at) => `user ${at}`);
    const before = new Map(sessions.map((session) => [session, home(session)]));
    expect(new Set(before.values())).toHaveLength(5);
    balancer.update(candidates(5).filter(({ id }) => id !== 'i3'));
    for (const [session, id] of before) if (id !== 'i3') expect(home(session)).toBe(id);
  });

  test('a beginning stays where it is known, unless that is much busier', () => {
    const balancer = make({ policy: 'prefix-affinity', concurrency: 1000 }, 4);
    const system = 'You are a helpful assistant of a laboratory for cells. '.repeat(10);
    const first = take(balancer, { prefix: `${system}one` });
    const second = take(balancer, { prefix: `${system}two` });
    expect(second.candidate.id).toBe(first.candidate.id);
    const others = Array.from({ length: 20 }, (_, at) => take(balancer, { prefix: `${system}${at}` }).candidate.id);
    expect(new Set(others).size).toBeGreaterThan(1);
    const table = new PrefixTable(100);
    for (let at = 0; at < 1000; at += 1) table.seen(`${at} `.repeat(100), 'i1');
    expect(table.size).toBeLessThanOrEqual(100);
  });

  test('a new instance gets its share little by little', () => {
    const clock = new TestClock();
    const balancer = make({ slowStart: 10_000 }, 1, clock);
    clock.pass(60_000);
    balancer.update(candidates(2));
    const share = (): number => {
      const grants = Array.from({ length: 22 }, () => take(balancer));
      for (const grant of grants) grant.succeeded(1);
      return grants.filter(({ candidate }) => candidate.id === 'i2').length;
    };
    balancer.configure({ ...SETTINGS, slowStart: 10_000, concurrency: 100 });
    expect(share()).toBeLessThanOrEqual(3);
    clock.pass(10_000);
    expect(share()).toBe(11);
  });

  test('whoever comes when the queue is full hears when to come again', async () => {
    const clock = new TestClock();
    const balancer = make({ concurrency: 1, queue: 3 }, 1, clock);
    const signal = new AbortController().signal;
    for (let round = 0; round < 10; round += 1) {
      take(balancer).succeeded(1000);
      clock.pass(1000);
    }
    take(balancer);
    const waiting = [1, 2, 3].map(() => balancer.acquire({ signal }).catch((error: unknown) => error));
    await expect(balancer.acquire({ signal })).rejects.toMatchObject({ code: 'QUEUE_FULL', retryAfter: 5 });
    balancer.end(new PilothouseError('SERVICE_STOPPED', 'over'));
    expect(await Promise.all(waiting)).toMatchObject([1, 2, 3].map(() => ({ code: 'SERVICE_STOPPED' })));
  });
});

test.each(POLICIES)('%s says why a request waits', async (policy: RoutingPolicy) => {
  const balancer = make({ policy, concurrency: 1 }, 1);
  const heard: string[] = [];
  const control = new AbortController();
  const wait = (): Promise<unknown> =>
    balancer.acquire({ signal: control.signal, onWait: ({ text }) => heard.push(text) }).catch(() => undefined);
  take(balancer);
  const all = [wait(), wait()];
  expect(heard).toEqual([
    'waits for llm; 1 of 1 places taken',
    'waits for llm; 1 of 1 places taken, 1 before this one',
  ]);
  control.abort();
  await Promise.all(all);
});
