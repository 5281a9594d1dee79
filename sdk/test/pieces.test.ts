import fc from 'fast-check';
import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { cutPieces, lengthOf } from '../src/client/submission/pieces.js';
import { defineFunction } from '../src/index.js';
import { memory } from './support/memory.js';
import { type Served, serve } from './support/sessions.js';

/** Breaks the connection instead of sending, at each of these messages. */
function breakAt(served: Served, cuts: readonly number[]): void {
  const remaining = new Set(cuts);
  let sent = 0;
  served.server.beforeSend = () => !remaining.delete(sent++);
}

describe('pieces', () => {
  it('hold every entry once, in order, within both limits, and the last one says so', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 400 }),
        (words, tasks, length) => {
          const entries = words.map((word) => ({ command: [word] }));
          const pieces = [...cutPieces(entries, { tasks, length })];
          expect(pieces.flatMap((piece) => piece.tasks)).toEqual(entries);
          expect(pieces.map(({ last }) => last)).toEqual(pieces.map((_, index) => index === pieces.length - 1));
          for (const piece of pieces) {
            expect(piece.tasks.length).toBeLessThanOrEqual(tasks);
            const size = piece.tasks.reduce((sum, entry) => sum + lengthOf(entry), 0);
            if (piece.tasks.length > 1) expect(size).toBeLessThanOrEqual(length);
          }
        },
      ),
    );
  });
});

describe('a task set, wherever the connection breaks', () => {
  it('has every task once, and gives every result once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6000 }),
        fc.array(fc.nat(25), { maxLength: 5 }),
        async (count, cuts) => {
          const { api } = memory();
          const served = await serve(() => api);
          try {
            await served.session.ready();
            breakAt(served, cuts);
            const tasks = Array.from({ length: count }, (_, index) => ({ name: `t${index}`, command: ['true'] }));
            const set = await served.session.tasks.submitMany(tasks);
            const results = await lastValueFrom(set.results$.pipe(toArray()));
            expect(results.map(({ index }) => index)).toEqual(results.map((_, index) => index));
            expect(results.map(({ name }) => name).sort()).toEqual(tasks.map(({ name }) => name).sort());
          } finally {
            await served.end();
          }
        },
      ),
      { numRuns: 3 },
    );
  });

  it('calls each function once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(30), { maxLength: 6 }),
        async (turns, cuts) => {
          const called: number[] = [];
          const count = (number: number) => {
            called.push(number);
            return number;
          };
          const { api } = memory({ functions: { 'm:count': count } });
          const served = await serve(() => api);
          try {
            await served.session.ready();
            breakAt(served, cuts);
            const fn = defineFunction({ python: 'm:count' });
            const results: Promise<unknown>[] = [];
            for (const size of turns) {
              for (let call = 0; call < size; call += 1)
                results.push(served.session.tasks.run(fn, results.length).result());
              await new Promise((resolve) => setImmediate(resolve));
            }
            const expected = results.map((_, index) => index);
            expect(await Promise.all(results)).toEqual(expected);
            expect(called.sort((a, b) => a - b)).toEqual(expected);
          } finally {
            await served.end();
          }
        },
      ),
      { numRuns: 10 },
    );
  });
});
