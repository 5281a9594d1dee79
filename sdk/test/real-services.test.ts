import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lastValueFrom, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Pilot, Session } from '../src/client/types.js';
import { connect, defineService } from '../src/node/index.js';
import { show } from '../src/notebook/index.js';
import { cellsOf, runCells } from './support/notebook.js';
import { Product, REPO } from './support/product.js';

const PYTHON = join(REPO, '.pilothouse/venv/bin/python');

/** A service in Python, of which the program here has a definition in TypeScript. */
const SERVICE = `
from collections.abc import Iterator
from pilothouse.serving import Service

class Cells(Service):
    async def count(self, image: str) -> int:
        return len(image)

    def track(self, frames: int) -> Iterator[dict[str, int]]:
        for frame in range(frames):
            yield {"frame": frame}

Cells().serve()
`;

const cells = defineService({
  name: 'cells',
  methods: {
    count: { input: z.object({ image: z.string() }), output: z.int() },
    track: { input: z.object({ frames: z.int() }), output: z.unknown(), chunk: z.object({ frame: z.int() }) },
  },
});

let product: Product;
let session: Session;
let pilot: Pilot;

beforeAll(async () => {
  product = new Product();
  session = await connect({ name: 'services' });
  pilot = await session.pilots.ensure('demo', { cores: 2, runtime: '1h' });
});

afterAll(async () => {
  await session?.close();
  await product.remove();
});

describe.runIf(existsSync(PYTHON))('a service of one’s own', () => {
  it('in Python is called from TypeScript, straight and through the bridge', async () => {
    const file = join(product.folder, 'cells.py');
    writeFileSync(file, SERVICE);
    await session.services.ensure('cells', { command: [PYTHON, file], api: 'zeromq', pilot });
    const caller = session.services.get(cells);
    await caller.ready({ timeout: '60s' });
    const straight = caller.call('count', { image: 'A01.png' });
    expect(await straight.result()).toBe(7);
    const kept = caller.call('count', { image: 'B02' }, { direct: false });
    expect(await kept.result()).toBe(3);
    expect(straight.instance).toBe(1);
    expect(kept.timing?.total).toBeGreaterThan(0);
    const listed = await session.answers.list({ all: true });
    expect(listed.map(({ id }) => id)).toEqual([kept.id]);
    for (const direct of [true, false]) {
      const tracked = caller.call('track', { frames: 3 }, { direct });
      const chunks = await lastValueFrom(tracked.chunks$.pipe(toArray()));
      expect(chunks.map(({ data }) => data?.frame)).toEqual([0, 1, 2]);
    }
  });

  it('publishes its methods, by which inputs are checked', async () => {
    const service = await session.services.get('cells');
    expect(service.record.methods?.map(({ name }) => name).sort()).toEqual(['count', 'track']);
    await expect(service.call('count', { image: 7 }).result()).rejects.toMatchObject({
      code: 'INVALID_DESCRIPTION',
      field: 'input.image',
    });
    await expect(service.call('cuont', {}).result()).rejects.toMatchObject({ code: 'METHOD_NOT_FOUND' });
    await service.stop();
  });
});

describe('a real model', () => {
  it('completes and embeds, is found in the history, and answers a batch', async ({ skip }) => {
    const template = (await session.services.templates()).find(({ name }) => name === 'smollm2');
    if (!template?.available) skip(template?.reason ?? 'there is no such template');
    const llm = await session.services.ensure('llm', { template: 'smollm2', params: { embeddings: true }, pilot });
    await llm.ready({ timeout: '90s' });
    const completion = llm.complete('The colour of the sky is', { maxTokens: 4, temperature: 0 });
    const completed = await completion.result();
    expect(completed.text).not.toBe('');
    expect(completed).toMatchObject({ usage: { completionTokens: 4 }, instance: 1, model: 'smollm2' });
    const embedding = llm.embed(['DNA repair', 'a lighthouse']);
    const [first, second] = await embedding.result();
    expect(first).toHaveLength(576);
    expect(second).not.toEqual(first);
    expect((await session.answers.get(embedding.id)).record.value).toHaveLength(2);
    const { answers, total } = await session.answers.search({ text: 'colour of the SKY', service: llm });
    expect([total, answers[0]?.id]).toEqual([1, completion.id]);
    const out = join(product.folder, 'rows.jsonl');
    const batch = await llm.map(['Name a gene.', 'Name a star.'], { out, maxTokens: 4 });
    const rows = await batch.results({ timeout: '60s' });
    expect(rows.map(({ key, error }) => [key, error])).toEqual([
      [0, null],
      [1, null],
    ]);
    expect(readFileSync(out, 'utf8').trim().split('\n')).toHaveLength(2);
    expect(await llm.explain()).not.toBe('');
    await llm.stop();
    await llm.done();
  });
});

describe.runIf(existsSync(PYTHON))('the example of services', () => {
  it('runs from top to bottom', async ({ skip }) => {
    const template = (await session.services.templates()).find(({ name }) => name === 'smollm2');
    if (!template?.available) skip(template?.reason ?? 'there is no such template');
    const printed = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const before = process.cwd();
    process.chdir(product.folder);
    vi.stubEnv('PATH', `${dirname(PYTHON)}:${process.env.PATH}`);
    try {
      await runCells(cellsOf('services-tslab'), {
        connect: async () => session,
        defineService,
        show,
        z,
        readFileSync,
        writeFileSync,
      });
    } finally {
      process.chdir(before);
      vi.unstubAllEnvs();
    }
    expect(printed.mock.calls).toContainEqual([2 + (4 - 2) * 0.25]);
    expect(readFileSync(join(product.folder, 'answers.jsonl'), 'utf8').trim().split('\n')).toHaveLength(4);
  });
});
