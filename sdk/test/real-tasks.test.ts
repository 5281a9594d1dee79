import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connect, defineFunction, type Session } from '../src/node/index.js';
import { Product } from './support/product.js';

const SCORING =
  'def score(well):\n    return len(well)\n\ndef refuse(well):\n    raise ValueError("no such well: " + well)\n';
const TILE = 'export const tile = (x: number, y: number): number[] => [x, y];\n';

let product: Product;
let session: Session;
const before = process.cwd();

beforeAll(async () => {
  product = new Product();
  writeFileSync(join(product.folder, 'scoring.py'), SCORING);
  writeFileSync(join(product.folder, 'tile.ts'), TILE);
  // Where a notebook would be.
  process.chdir(product.folder);
  session = await connect({ name: 'real tasks' });
  await session.pilots.ensure('demo', { cores: 2, runtime: '10m' });
});

afterAll(async () => {
  process.chdir(before);
  await session?.close();
  await product.remove();
});

describe('with a real pilot', () => {
  it('a set of commands has its results, failures, resumption and files', async () => {
    const commands = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        name: `t${index}`,
        command: ['sh', '-c', index === 3 ? 'echo bad >&2; exit 3' : 'echo ok'],
      }));
    const set = await session.tasks.submitMany(commands(20), { name: 'prep' });
    expect(await set.done({ timeout: '60s' })).toMatchObject({ state: 'FAILED', done: 19, failed: 1 });
    const results = await set.results({ settled: true });
    expect(results.map(({ name }) => name)).toEqual(commands(20).map(({ name }) => name));
    expect(results[3]).toMatchObject({ exitCode: 3, stderrTail: expect.stringContaining('bad') });
    expect((await (await set.task('t4')).result()).stdout).toBe('ok\n');
    const again = await session.tasks.submitMany(commands(21), { name: 'prep', resume: true });
    await again.done({ timeout: '60s' });
    expect(again.counts).toMatchObject({ total: 21, resumed: 19, failed: 1 });
  });

  it('functions of Python and TypeScript give typed values, and what they raise', async () => {
    const score = defineFunction({ python: 'scoring:score', input: z.string(), output: z.number() });
    expect(await session.tasks.run(score, 'A01').result({ timeout: '60s' })).toBe(3);
    const scores = await session.tasks.map(score, ['a', 'bb', 'ccc']);
    expect(await scores.results({ timeout: '60s' })).toEqual([1, 2, 3]);
    const refuse = defineFunction({ python: 'scoring:refuse' });
    await expect(session.tasks.run(refuse, 'Z9').result({ timeout: '60s' })).rejects.toMatchObject({
      code: 'FUNCTION_RAISED',
      cause: { type: 'ValueError', message: 'no such well: Z9', traceback: expect.stringContaining('scoring.py') },
    });
    const tile = defineFunction({
      module: join(product.folder, 'tile.ts'),
      export: 'tile',
      input: z.tuple([z.number(), z.number()]),
      output: z.array(z.number()),
    });
    expect(await session.tasks.run(tile, 1, 2).result({ timeout: '60s' })).toEqual([1, 2]);
  });
});
