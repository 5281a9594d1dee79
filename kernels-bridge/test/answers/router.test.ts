import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { Picture } from '../../src/picture/picture.js';
import { type Lease, Router } from '../../src/router/router.js';
import { serviceAt } from './harness.js';

const LIMIT = 2;

type Step = { readonly kind: 'ask' } | { readonly kind: 'end' | 'flip' | 'leave'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant({ kind: 'ask' as const }),
  fc.record({ kind: fc.constantFrom('end' as const, 'flip' as const, 'leave' as const), which: fc.nat(9) }),
);

test('no instance gets more than it takes, those who wait get their turn in order, and no place is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const picture = new Picture();
      const router = new Router(picture, systemClock, () => LIMIT);
      const record = picture.put('service', serviceAt(['http://a', 'http://b', 'http://c']));
      const held: { lease: Lease; number: number }[] = [];
      const waiting = new Map<number, AbortController>();
      let asked = 0;
      let served = -1;
      const ask = (): void => {
        const number = asked;
        asked += 1;
        const control = new AbortController();
        waiting.set(number, control);
        router.acquire(record.id, { signal: control.signal, onWait: () => undefined }).then(
          (lease) => {
            waiting.delete(number);
            held.push({ lease, number });
            expect(number).toBeGreaterThan(served);
            served = number;
          },
          () => waiting.delete(number),
        );
      };
      const flip = (index: number): void => {
        picture.update('service', record.id, ({ instances }) => ({
          instances: instances.map((instance, at) =>
            at === index ? { ...instance, state: instance.state === 'READY' ? 'UNHEALTHY' : 'READY' } : instance,
          ),
        }));
      };
      for (const next of steps) {
        if (next.kind === 'ask') ask();
        else if (next.kind === 'end') held.splice(next.which % Math.max(1, held.length), 1)[0]?.lease.release(1);
        else if (next.kind === 'flip') flip(next.which % 3);
        else [...waiting.values()][next.which]?.abort();
        await new Promise(setImmediate);
        const perInstance = new Map<string, number>();
        for (const { lease } of held) perInstance.set(lease.instance.id, (perInstance.get(lease.instance.id) ?? 0) + 1);
        for (const count of perInstance.values()) expect(count).toBeLessThanOrEqual(LIMIT);
        const ready = picture.get('service', record.id)?.instances.filter(({ state }) => state === 'READY') ?? [];
        const free = ready.some(({ id }) => (perInstance.get(id) ?? 0) < LIMIT);
        // Whoever waits while there is a free place has been forgotten.
        if (free) expect(waiting.size).toBe(0);
      }
      router.close();
    }),
    { numRuns: 60 },
  );
});
