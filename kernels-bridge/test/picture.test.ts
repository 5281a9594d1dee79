import type { PilotRecord, WatchBatch } from '@pilothouse/sdk/internal';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDifferences } from '../src/managers/differences.js';
import { Names, validName } from '../src/managers/names.js';
import { wholeCharacters } from '../src/managers/output-reader.js';
import { Picture } from '../src/picture/picture.js';
import { WatchSource } from '../src/picture/watch-source.js';

const t = '2026-01-01T00:00:00.000Z';

function pilot(id: string, name: string, state: PilotRecord['state'] = 'ACTIVE'): PilotRecord {
  return {
    kind: 'pilot',
    id,
    name,
    seq: 0,
    state,
    since: t,
    reason: null,
    contact: { lost: false, since: t },
    error: null,
    times: {},
    owner: 'test',
    createdAt: t,
    endedAt: null,
    description: { engine: 'local', cores: 1, gpus: 0, nodes: 1, runtime: '1h' },
    engine: 'local',
    resources: { cores: 1, gpus: 0, memory: null, runtime: 3600 },
    usage: { cores: 0, gpus: 0, memory: 0, running: 0, waiting: 0, done: 0, failed: 0 },
    node: null,
    startedAt: null,
    endsAt: null,
    suspended: false,
    idle: null,
    efficiency: null,
    gateway: null,
  };
}

/** What a client makes of the batches it gets. */
class Mirror {
  readonly things = new Map<string, string>();
  after: { epoch: number; seq: number } | undefined;

  take(batch: WatchBatch): void {
    if (batch.reset) this.things.clear();
    for (const { id, name } of batch.pilots) this.things.set(id, name);
    for (const id of batch.removed) this.things.delete(id);
    this.after = { epoch: batch.epoch, seq: batch.seq };
  }
}

async function drain(source: WatchSource, mirror: Mirror, batches: number): Promise<void> {
  for (let round = 0; round < batches; round += 1) {
    const stop = AbortSignal.abort();
    try {
      mirror.take(await source.next(stop));
    } catch {
      return; // Nothing more at the moment: it would have waited.
    }
  }
}

type Step =
  | { readonly do: 'put'; readonly id: number; readonly name: number }
  | { readonly do: 'remove'; readonly id: number }
  | { readonly do: 'read'; readonly batches: number }
  | { readonly do: 'reconnect' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('put' as const), id: fc.nat(400), name: fc.nat(1000) }),
    fc.record({ do: fc.constant('remove' as const), id: fc.nat(400) }),
    fc.record({ do: fc.constant('read' as const), batches: fc.integer({ min: 1, max: 3 }) }),
    fc.constant({ do: 'reconnect' as const }),
  ),
  { maxLength: 300 },
);

describe('watching the picture', () => {
  it('loses nothing and invents nothing, wherever it is cut and gone on with', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 450 }), steps, async (before, script) => {
        const picture = new Picture();
        for (let id = 0; id < before; id += 1) picture.put('pilot', pilot(`p${id}`, `n${id}`));
        const mirror = new Mirror();
        const open = (): WatchSource => new WatchSource(picture, 7, { kinds: ['pilot'], after: mirror.after });
        let source = open();
        for (const step of script) {
          if (step.do === 'put') picture.put('pilot', pilot(`p${step.id}`, `n${step.name}`));
          if (step.do === 'remove') picture.remove('pilot', `p${step.id}`);
          if (step.do === 'read') await drain(source, mirror, step.batches);
          if (step.do === 'reconnect') {
            source.close();
            source = open();
          }
        }
        await drain(source, mirror, 100);
        source.close();
        const expected = new Map([...picture.list('pilot')].map(({ id, name }) => [id, name]));
        expect(mirror.things).toEqual(expected);
        expect(mirror.after?.seq).toBe(picture.seq);
      }),
      { numRuns: 60 },
    );
  });

  it('starts anew for another epoch, and for a place in the future', async () => {
    const picture = new Picture();
    picture.put('pilot', pilot('p1', 'a'));
    for (const after of [
      { epoch: 6, seq: 1 },
      { epoch: 7, seq: 99 },
    ]) {
      const source = new WatchSource(picture, 7, { kinds: ['pilot'], after });
      expect(await source.next(new AbortController().signal)).toMatchObject({ reset: true, pilots: [{ id: 'p1' }] });
      source.close();
    }
  });

  it('goes on without anything where nothing changed', async () => {
    const picture = new Picture();
    picture.put('pilot', pilot('p1', 'a'));
    const source = new WatchSource(picture, 7, { kinds: ['pilot'], after: { epoch: 7, seq: 1 } });
    expect(await source.next(new AbortController().signal)).toMatchObject({ reset: false, pilots: [], seq: 1 });
    source.close();
  });

  it('shows the kinds and ids asked for alone', async () => {
    const picture = new Picture();
    picture.put('pilot', pilot('p1', 'a'));
    picture.put('pilot', pilot('p2', 'b'));
    const one = new WatchSource(picture, 7, { kinds: ['pilot'], ids: ['p2'] });
    expect((await one.next(new AbortController().signal)).pilots.map(({ id }) => id)).toEqual(['p2']);
    const none = new WatchSource(picture, 7, { kinds: ['task'] });
    expect((await none.next(new AbortController().signal)).pilots).toEqual([]);
    one.close();
    none.close();
  });
});

describe('names', () => {
  it('are unique among what lives, and free again after the end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'a-2', 'x y'), fc.boolean()), { maxLength: 60 }),
        (script) => {
          const picture = new Picture();
          const names = new Names(picture);
          const live = new Map<string, string>();
          script.forEach(([wanted, endOne], index) => {
            const id = `p${index}`;
            const name = names.reserve('pilot', wanted, id);
            expect(live.has(name)).toBe(false);
            live.set(name, id);
            picture.put('pilot', pilot(id, name));
            expect(names.find('pilot', name)).toBe(id);
            const [oldest] = live;
            if (endOne && oldest !== undefined) {
              picture.put('pilot', pilot(oldest[1], oldest[0], 'DONE'));
              live.delete(oldest[0]);
              expect(names.find('pilot', oldest[0])).toBeUndefined();
            }
          });
        },
      ),
    );
  });

  it('count up from the second', () => {
    const names = new Names(new Picture());
    expect(['1', '2', '3'].map((id) => names.reserve('service', 'smollm2', id))).toEqual([
      'smollm2',
      'smollm2-2',
      'smollm2-3',
    ]);
    names.release('service', 'smollm2', '1');
    expect(names.reserve('service', 'smollm2', '4')).toBe('smollm2');
  });

  it('are made of whatever text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        (text) => void expect(validName(text)).toMatch(/^[A-Za-z0-9][\w.-]{0,62}$/),
      ),
    );
  });
});

it('a piece of a log ends between characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(), (text, cut) => {
      const bytes = Buffer.from(text);
      const length = Math.max(4, cut % (bytes.length + 1));
      const piece = bytes.subarray(0, Math.min(length, bytes.length));
      const end = wholeCharacters(piece, piece.length);
      expect(bytes.toString('utf8').startsWith(piece.toString('utf8', 0, end))).toBe(true);
    }),
  );
});

it('differences of descriptions are named by path', () => {
  expect(findDifferences({ a: 1, b: { c: [1] } }, { a: 1, b: { c: [2] }, d: 'x' })).toEqual([
    { path: 'b.c', text: 'b.c: [1] → [2]' },
    { path: 'd', text: 'd: not given → "x"' },
  ]);
});
