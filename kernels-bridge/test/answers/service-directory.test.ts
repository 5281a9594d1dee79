import type { BridgeFrame, ServiceRecord } from '@pilothouse/sdk/internal';
import type { Place } from '@pilothouse/serving';
import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { Picture } from '../../src/picture/picture.js';
import { ServiceDirectory } from '../../src/router/service-directory.js';
import { serviceAt } from './harness.js';

const LIMIT = 2;
const opened: ServiceDirectory[] = [];

afterEach(() => {
  for (const directory of opened.splice(0)) directory.close();
});

function open(picture: Picture, frames: [string, BridgeFrame][] = []): ServiceDirectory {
  const directory = new ServiceDirectory({
    picture,
    clock: systemClock,
    link: { send: (pilot, frame) => void frames.push([pilot, frame]) },
    concurrency: () => LIMIT,
    targetOf: async ({ name }, { endpoint, index }) => {
      if (endpoint === null) throw new Error('no endpoint');
      return { endpoint, key: null, name: `${name} instance ${index}`, model: null };
    },
  });
  opened.push(directory);
  return directory;
}

type Step = { readonly kind: 'ask' } | { readonly kind: 'end' | 'flip' | 'leave'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constant({ kind: 'ask' as const }),
  fc.record({ kind: fc.constantFrom('end' as const, 'flip' as const, 'leave' as const), which: fc.nat(9) }),
);

test('no instance gets more than it takes, those who wait get their turn in order, and no place is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const picture = new Picture();
      const directory = open(picture);
      const record = picture.put('service', serviceAt(['http://a', 'http://b', 'http://c']));
      const held: { place: Place; number: number }[] = [];
      const waiting = new Map<number, AbortController>();
      let asked = 0;
      let served = -1;
      const ask = (): void => {
        const number = asked;
        asked += 1;
        const control = new AbortController();
        waiting.set(number, control);
        directory
          .find(record.id)
          ?.acquire({ signal: control.signal })
          .then(
            (place) => {
              waiting.delete(number);
              held.push({ place, number });
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
        else if (next.kind === 'end') held.splice(next.which % Math.max(1, held.length), 1)[0]?.place.succeeded(1);
        else if (next.kind === 'flip') flip(next.which % 3);
        else [...waiting.values()][next.which]?.abort();
        await new Promise(setImmediate);
        const perInstance = new Map<string, number>();
        for (const { place } of held) perInstance.set(place.instance.id, (perInstance.get(place.instance.id) ?? 0) + 1);
        for (const count of perInstance.values()) expect(count).toBeLessThanOrEqual(LIMIT);
        const ready = picture.get('service', record.id)?.instances.filter(({ state }) => state === 'READY') ?? [];
        const free = ready.some(({ id }) => (perInstance.get(id) ?? 0) < LIMIT);
        // Whoever waits while there is a free place has been forgotten.
        if (free) expect(waiting.size).toBe(0);
      }
      directory.close();
    }),
    { numRuns: 60 },
  );
});

test('people see the load, its statistics, and the pilot hears what there is to do', async () => {
  const picture = new Picture();
  const frames: [string, BridgeFrame][] = [];
  const directory = open(picture, frames);
  const record = picture.put('service', { ...serviceAt(['http://a']), pilot: 'pilot-1' });
  const route = directory.find(record.name);
  const { signal } = new AbortController();
  const places = await Promise.all([1, 2].map(() => route?.acquire({ signal })));
  const third = route?.acquire({ signal });
  const load = (): ServiceRecord['load'] | undefined => picture.get('service', record.id)?.load;
  await vi.waitFor(() => expect(load()).toMatchObject({ outstanding: 2, queued: 1 }), 20_000);
  const [instance] = record.instances;
  await vi.waitFor(
    () =>
      expect(frames).toContainEqual([
        'pilot-1',
        {
          type: 'load',
          services: { [record.id]: { outstanding: 2, queued: 1 } },
          instances: { [instance?.id ?? '']: 2 },
        },
      ]),
    20_000,
  );
  directory.heard('pilot-1', { [instance?.id ?? '']: { outstanding: 3, p50: 7, ejectedUntil: null, why: null } });
  await vi.waitFor(() => expect(load()).toMatchObject({ outstanding: 5, queued: 1 }), 20_000);
  expect(picture.get('service', record.id)?.instances[0]?.load).toMatchObject({ outstanding: 5 });
  directory.heard('pilot-1', {});
  places[0]?.succeeded(10, { communication: 1, queue: 2, service: 3, inference: 4 });
  places[1]?.failed('broken', false);
  (await third)?.succeeded(20);
  await vi.waitFor(() => expect(load()).toMatchObject({ outstanding: 0, queued: 0, p50: 15, failed: 1 }), 20_000);
  await vi.waitFor(
    () => expect(frames.at(-1)?.[1]).toMatchObject({ services: { [record.id]: { queued: 0 } } }),
    20_000,
  );
  const total = directory
    .statistics(record.id, 600, 2)
    .buckets.reduce(
      (sum, { count, failed, inference }) => [sum[0] + count, sum[1] + failed, sum[2] + inference] as const,
      [0, 0, 0] as readonly [number, number, number],
    );
  expect(total).toEqual([3, 1, 4]);
});

test('one that has ended says so, by its name as long as no other has taken it', async () => {
  const picture = new Picture();
  const directory = open(picture);
  const record = picture.put('service', serviceAt(['http://a']));
  const { signal } = new AbortController();
  const held = await Promise.all([1, 2].map(() => directory.find(record.name)?.acquire({ signal })));
  const waits = directory.find(record.name)?.acquire({ signal });
  picture.update('service', record.id, () => ({ state: 'STOPPED', endedAt: systemClock.iso() }));
  await expect(waits).rejects.toMatchObject({ code: 'SERVICE_STOPPED' });
  await expect(directory.find(record.id)?.acquire({ signal })).rejects.toMatchObject({ code: 'SERVICE_STOPPED' });
  expect(directory.list()).toEqual([]);
  for (const place of held) place?.dropped();
});
