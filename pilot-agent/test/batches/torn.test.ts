import { truncateSync } from 'node:fs';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { afterEach, expect, test } from 'vitest';
import { MemoryService, Rig, randomOf, textOf } from './rig.js';

const rigs: Rig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.clean();
});

const ROWS = 400;

/** Rounds of random damage; many more where PILOTHOUSE_ROUNDS says so. */
const ROUNDS = Number(process.env.PILOTHOUSE_ROUNDS ?? '12');

test.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
  'killed again and again, with writes torn anywhere, each key is there once: seed %d',
  async (seed) => {
    const random = randomOf(seed);
    const it = new Rig(new MemoryService(2, 4));
    rigs.push(it);
    const lines = Array.from({ length: ROWS }, (_, index) => ({
      id: index,
      prompt: `question ${index} ${'é'.repeat(random() * 40)}`,
    }));
    it.write('in.jsonl', lines);
    let broken = random() < 0.5;
    it.ask = async ({ request, onChunk, signal }) => {
      signal.throwIfAborted();
      if (random() < 0.2) await new Promise(setImmediate);
      if (broken && random() < 0.1) throw new PilothouseError('REQUEST_REFUSED', 'no');
      onChunk(`answer to ${textOf(request)}`);
      return {};
    };
    const spec = it.spec();
    for (let kills = 0; kills < 4; kills += 1) {
      it.batches.submit(spec);
      const after = it.asked.length + random() * (ROWS / 3);
      while (it.asked.length < after && it.batches.live > 0) await new Promise(setImmediate);
      // Nothing more of this agent reaches the file: its time ends here, in the middle of whatever it wrote.
      await it.batches.timeOver();
      const size = Buffer.byteLength(it.read('out.jsonl'));
      truncateSync(it.path('out.jsonl'), Math.floor(size * (0.5 + random() / 2)));
      it.entries.length = 0;
      it.restart();
      it.batches.begin();
    }
    it.batches.submit(spec);
    const end = await it.end(spec.id);
    const keys = it.rows('out.jsonl').map(({ key }) => key);
    expect(keys.toSorted((a, b) => Number(a) - Number(b))).toEqual(lines.map(({ id }) => id));
    const failed = it.rows('out.jsonl').filter(({ error }) => error !== null).length;
    expect(end).toMatchObject({ state: 'DONE', progress: { total: ROWS, done: ROWS - failed, failed } });

    // Another batch over the same files tries the failed ones once more, and leaves everything else as it is.
    broken = false;
    it.asked.length = 0;
    expect(await it.run()).toMatchObject({ progress: { total: ROWS, done: ROWS, failed: 0, kept: ROWS - failed } });
    expect(it.asked).toHaveLength(failed);
    for (const { key, text } of it.rows('out.jsonl')) expect(text).toBe(`answer to ${lines[Number(key)]?.prompt}`);
  },
);
