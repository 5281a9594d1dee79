import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRemovals, type Unit } from '../src/retention/plan.js';

const NOW = 1_000_000_000;
const unit = (part: Partial<Unit>): Unit => ({
  what: 'thing',
  paths: ['x'],
  endedAt: NOW,
  rank: 0,
  held: false,
  files: 1,
  bytes: 10,
  ...part,
});

const units = fc.array(
  fc.record({
    what: fc.constant('thing'),
    paths: fc.constant(['x']),
    endedAt: fc.integer({ min: 0, max: NOW }),
    rank: fc.integer({ min: 0, max: 3 }),
    held: fc.boolean(),
    files: fc.integer({ min: 0, max: 50 }),
    bytes: fc.integer({ min: 0, max: 500 }),
  }),
  { maxLength: 30 },
);
const amount = fc.record({ files: fc.integer({ min: 0, max: 100 }), bytes: fc.integer({ min: 0, max: 1000 }) });
const limits = fc.record({
  files: fc.integer({ min: 1, max: 300 }),
  bytes: fc.integer({ min: 1, max: 3000 }),
  age: fc.integer({ min: 1, max: NOW / 1000 }),
});

describe('what goes', () => {
  it('is what is too old, then the oldest until the rest fits; never what is held', () => {
    fc.assert(
      fc.property(units, amount, limits, (all, fixed, keep) => {
        const { removals, kept } = planRemovals(all, fixed, keep, NOW);
        const gone = new Set(removals.map((removal) => removal.unit));
        const left = all.filter((one) => !gone.has(one));
        const isOld = (one: Unit): boolean => NOW - one.endedAt > keep.age * 1000;
        expect(left.some(isOld)).toBe(false);
        expect([...gone].some((one) => one.held && !isOld(one))).toBe(false);
        expect(kept.files).toBe(left.reduce((sum, { files }) => sum + files, fixed.files));
        expect(kept.bytes).toBe(left.reduce((sum, { bytes }) => sum + bytes, fixed.bytes));
        // Nothing that could help is left where there is still too much.
        if (kept.bytes > keep.bytes) expect(left.some((one) => !one.held && one.bytes > 0)).toBe(false);
        if (kept.files > keep.files) expect(left.some((one) => !one.held && one.files > 0)).toBe(false);
        // The last to go for room was needed: with it, there would be too much.
        const last = removals.filter(({ unit: one }) => !isOld(one)).at(-1);
        if (last !== undefined) {
          const { files, bytes } = last.unit;
          expect(kept.files + files > keep.files || kept.bytes + bytes > keep.bytes).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is the folder of a task before all the rest of its pilot', () => {
    const folder = unit({ rank: 0, bytes: 900, what: 'folder' });
    const rest = unit({ rank: 3, bytes: 50, what: 'rest' });
    const keep = { files: 100, bytes: 100, age: 1000 };
    const { removals } = planRemovals([rest, folder], { files: 0, bytes: 0 }, keep, NOW);
    expect(removals.map(({ unit: { what }, why }) => [what, why])).toEqual([['folder', 'size']]);
  });
});
