import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demands, pilots, Rig, wishes } from './scheduler-rig.js';

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('apply' as const), wish: wishes }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('time' as const), seconds: fc.integer({ min: 1, max: 60 }) }) },
  ),
  { maxLength: 120 },
);
const patience = fc.integer({ min: 1, max: 5 });

function play(rig: Rig, script: readonly (typeof steps extends fc.Arbitrary<(infer S)[]> ? S : never)[]): void {
  for (const one of script) {
    if (one.do === 'apply') rig.apply(one.wish);
    else if (one.do === 'release') rig.releaseAny(one.which);
    else if (one.do === 'withdraw') rig.withdrawAny(one.which);
    else rig.time += one.seconds * 1000;
  }
}

describe('the scheduler, whatever happens', () => {
  it('grants what was asked for, never more than there is, and obeys tags', () => {
    fc.assert(
      fc.property(pilots, steps, patience, (nodes, script, mayPass) => {
        const rig = new Rig(nodes, mayPass);
        for (const one of script) {
          play(rig, [one]);
          rig.check();
        }
      }),
    );
  });

  it('starts everything in the end that fits the empty pilot', () => {
    fc.assert(
      fc.property(pilots, steps, patience, fc.array(fc.nat(), { minLength: 1 }), (nodes, script, mayPass, order) => {
        const rig = new Rig(nodes, mayPass);
        play(rig, script);
        for (let turn = 0; rig.running.size > 0; turn += 1) rig.releaseAny(order[turn % order.length] ?? 0);
        expect([...rig.waiting.keys()]).toEqual([]);
        rig.check();
        expect(rig.pool.used).toEqual({ cores: 0, gpus: 0, memory: 0 });
      }),
    );
  });

  it('leaves nothing waiting that fits and that nothing is kept from', () => {
    fc.assert(
      fc.property(pilots, steps, (nodes, script) => {
        // Nothing is kept for anybody, so whoever waits does not fit: the words must not say otherwise.
        const rig = new Rig(nodes, 1_000_000);
        play(rig, script);
        for (const [id, { demand }] of rig.waiting) {
          const explanation = rig.scheduler.explain(id);
          expect(explanation?.text).not.toContain('its turn');
          const short = /waits for (\d+) cores?(?: on one node)?; (?:at most )?(\d+) of (\d+)/.exec(
            explanation?.text ?? '',
          );
          if (!short) continue;
          const free = rig.pool.nodes.freeCores;
          expect(Number(short[1])).toBe(demand.cores);
          expect(Number(short[2])).toBe(Math.max(...free));
          expect(Number(short[2])).toBeLessThan(demand.cores);
          expect(Number(short[3])).toBe(Math.max(...nodes.map(({ cores }) => cores)));
        }
      }),
    );
  });

  it('starts whom nodes are kept for at the latest when what ran then has ended', () => {
    fc.assert(
      fc.property(pilots, fc.array(wishes, { minLength: 20, maxLength: 80 }), fc.nat(), (nodes, wanted, seed) => {
        const rig = new Rig(nodes, 2);
        let kept: { readonly id: string; readonly ran: Set<string> } | undefined;
        for (const [turn, { expects: _, ...wish }] of wanted.entries()) {
          // Without tags and services, which may hold a node for any time, and without hints that may be wrong.
          rig.apply({ ...wish, kind: 'task', demand: { ...wish.demand, tags: [], near: [], apart: [] } });
          if (turn % 2 === 0) rig.releaseAny(seed + turn);
          const now = rig.scheduler.keptFor;
          if (now !== kept?.id) kept = now === undefined ? undefined : { id: now, ran: new Set(rig.running.keys()) };
          if (kept) expect([...kept.ran].some((id) => rig.running.has(id))).toBe(true);
        }
      }),
    );
  });

  it('goes by kind, then by priority, then by arrival, where all want the same', () => {
    fc.assert(
      fc.property(fc.array(wishes, { minLength: 2, maxLength: 30 }), (wanted) => {
        // As many as wait may pass the one who waits longest, so that nobody's turn is brought forward.
        const rig = new Rig([{ cores: 4, gpus: [], memory: null }], wanted.length);
        const demand = { cores: 4, gpus: 0, memory: null };
        const first = rig.apply({ kind: 'task', demand });
        const asked = wanted.map(({ kind, priority }) => ({
          id: rig.apply({ kind, priority, demand }),
          kind,
          priority,
        }));
        for (let turn = 0; turn <= wanted.length; turn += 1) rig.releaseAny(0);
        const right = asked
          .map((one, index) => ({ ...one, index }))
          .sort(
            (a, b) =>
              Number(a.kind === 'task') - Number(b.kind === 'task') ||
              (b.priority ?? 0) - (a.priority ?? 0) ||
              a.index - b.index,
          );
        expect(rig.order).toEqual([first, ...right.map(({ id }) => id)]);
      }),
    );
  });

  it('books again what ran, on the same cores and devices', () => {
    fc.assert(
      fc.property(pilots, steps, (nodes, script) => {
        const before = new Rig(nodes, 3);
        play(before, script);
        const after = new Rig(nodes, 3);
        after.scheduler.hold();
        for (const [id, { wish, grant }] of before.running) {
          const at = grant.nodes.map(({ node, slots, cores, gpus }) => ({
            node,
            slots,
            cores,
            gpus: gpus.map(({ index }) => nodes[node]?.gpus[index] ?? ''),
          }));
          const booked = after.scheduler.book({ ...wish, id }, at);
          after.running.set(id, { wish, grant: booked });
          expect(booked.nodes.map(({ node, slots, cores }) => ({ node, slots, cores }))).toEqual(
            grant.nodes.map(({ node, slots, cores }) => ({ node, slots, cores })),
          );
          expect(booked.gpus).toEqual(grant.gpus);
        }
        expect(after.pool.used.cores).toBe(before.pool.used.cores);
        expect(after.pool.used.memory).toBe(before.pool.used.memory);
        after.scheduler.begin();
        for (const id of [...after.running.keys()]) after.release(id);
        expect(after.pool.used).toEqual({ cores: 0, gpus: 0, memory: 0 });
      }),
    );
  });

  it('says of exactly those demands that they are impossible that an empty pilot does not start', () => {
    fc.assert(
      fc.property(pilots, demands, (nodes, demand) => {
        const rig = new Rig(nodes);
        let started = false;
        rig.scheduler.apply({
          id: 'one',
          kind: 'task',
          demand,
          granted: () => (started = true),
          waits: () => undefined,
        });
        expect(started).toBe(rig.pool.impossible(demand) === undefined);
      }),
    );
  });
});
