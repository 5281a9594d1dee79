import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { afterEach, expect, test } from 'vitest';
import { MemoryService, Rig, textOf } from './rig.js';

const rigs: Rig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.clean();
});

function rig(service?: MemoryService): Rig {
  const made = new Rig(service);
  rigs.push(made);
  return made;
}

const prompts = (count: number): unknown[] =>
  Array.from({ length: count }, (_, index) => ({ id: `p${index}`, prompt: `question ${index}` }));

test('each input becomes one row, found again by its key, and the service is held meanwhile', async () => {
  const it = rig();
  it.write('in.jsonl', prompts(500));
  const spec = it.spec();
  it.batches.submit(spec);
  expect(it.held).toEqual([it.service.id]);
  const end = await it.end(spec.id);
  expect(end).toMatchObject({ state: 'DONE', progress: { total: 500, done: 500, failed: 0, kept: 0, tokens: 1000 } });
  const rows = it.rows('out.jsonl');
  expect(new Set(rows.map(({ key }) => key)).size).toBe(500);
  const row = rows.find(({ key }) => key === 'p7');
  expect(row).toMatchObject({ text: 'answer to question 7', error: null, model: 'echo-1', value: null });
  expect(it.held).toEqual([]);
});

test('instances are kept as full as they let themselves be, and no fuller', async () => {
  const it = rig(new MemoryService(3, 5));
  it.write('in.jsonl', prompts(300));
  // None answers before all places of all instances are taken.
  const full = Promise.withResolvers<void>();
  it.ask = async ({ onChunk }) => {
    const taken = [...it.service.outstanding.values()].reduce((sum, one) => sum + one, 0);
    if (taken === 15) full.resolve();
    await full.promise;
    onChunk('yes');
    return {};
  };
  expect(await it.run()).toMatchObject({ state: 'DONE' });
  expect([...it.service.most.values()]).toEqual([5, 5, 5]);
});

test('the same again does only what is missing', async () => {
  const it = rig();
  it.write('in.jsonl', prompts(20));
  await it.run();
  it.write('in.jsonl', prompts(25));
  it.asked.length = 0;
  const end = await it.run();
  expect(end.progress).toMatchObject({ total: 25, done: 25, kept: 20 });
  expect(it.asked).toHaveLength(5);
  expect(it.rows('out.jsonl')).toHaveLength(25);
});

test('a failed row stands with its error, and is tried again by the next batch only', async () => {
  const it = rig();
  it.write('in.jsonl', [...prompts(3), 'no JSON', { id: 'x' }]);
  it.ask = async ({ request, onChunk }) => {
    if (textOf(request) === 'question 1') throw new PilothouseError('CONTEXT_EXCEEDED', 'it is too long');
    onChunk('yes');
    return {};
  };
  const end = await it.run({ key: 'id' });
  expect(end).toMatchObject({ state: 'DONE', progress: { total: 5, done: 2, failed: 3 } });
  expect(it.asked).toHaveLength(3);
  const errors = it.rows('out.jsonl').flatMap(({ key, error }) => (error ? [[key, error.code, error.message]] : []));
  expect(errors.toSorted()).toEqual([
    ['line 4', 'INVALID_DESCRIPTION', 'line 4 is not JSON'],
    ['p1', 'CONTEXT_EXCEEDED', 'line 2: it is too long'],
    ['x', 'INVALID_DESCRIPTION', 'line 5 needs a text, "prompt", or "messages"'],
  ]);
  expect(end.failures).toHaveLength(3);

  it.write('in.jsonl', [...prompts(3), { id: 'y', prompt: 'good' }, { id: 'x', prompt: 'good too' }]);
  it.ask = async ({ onChunk }) => {
    onChunk('now');
    return {};
  };
  expect(await it.run({ key: 'id' })).toMatchObject({ progress: { total: 5, done: 5, failed: 0, kept: 2 } });
  const rows = it.rows('out.jsonl');
  expect(rows.map(({ key }) => key).toSorted()).toEqual(['p0', 'p1', 'p2', 'x', 'y']);
  expect(rows.every(({ error }) => error === null)).toBe(true);
});

test('what is worth trying again is tried elsewhere, as often as is said', async () => {
  const it = rig(new MemoryService(2, 1));
  it.write('in.jsonl', prompts(6));
  const tries = new Map<string, number[]>();
  it.ask = async ({ request, onChunk }, instance) => {
    const text = textOf(request);
    tries.set(text, [...(tries.get(text) ?? []), instance]);
    if (text === 'question 3' || (tries.get(text)?.length ?? 0) < 2) {
      throw new PilothouseError('STREAM_CUT', 'it died', { cause: new Error('socket hang up') });
    }
    onChunk('yes');
    return {};
  };
  expect(await it.run({ tries: 3 })).toMatchObject({ state: 'DONE', progress: { done: 5, failed: 1 } });
  expect(tries.get('question 3')).toHaveLength(3);
  for (const [text, [first, second]] of tries) if (text !== 'question 3') expect(first).not.toBe(second);
  expect(it.rows('out.jsonl').find(({ key }) => key === 'p3')?.error?.message).toContain('tried 3 times');
});

test('what never arrived is no try', async () => {
  const it = rig();
  it.write('in.jsonl', prompts(4));
  let refusals = 0;
  it.ask = async ({ onChunk }) => {
    refusals += 1;
    if (refusals <= 12) {
      const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      throw new PilothouseError('SERVICE_UNREACHABLE', 'nothing listens there', { cause });
    }
    onChunk('yes');
    return {};
  };
  expect(await it.run({ tries: 1 })).toMatchObject({ state: 'DONE', progress: { done: 4, failed: 0 } });
});

test('it waits while no instance is ready, says so, and goes on', async () => {
  const it = rig();
  it.service.setReady();
  it.write('in.jsonl', prompts(10));
  const spec = it.spec();
  it.batches.submit(spec);
  const waits = await it.until(({ reason }) => reason?.code === 'NOT_READY');
  expect(waits).toMatchObject({ state: 'WAITING', reason: { text: 'no instance is ready' } });
  it.service.setReady(1);
  expect(await it.end(spec.id)).toMatchObject({ state: 'DONE', progress: { done: 10 } });
  const states = it.entries.map(({ state }) => state);
  expect(states.filter((state, index) => state !== states[index - 1])).toEqual(['WAITING', 'RUNNING', 'DONE']);
});

test('an error of the service itself ends the batch, and costs no row', async () => {
  const it = rig();
  it.write('in.jsonl', prompts(50));
  it.ask = async () => {
    throw new PilothouseError('AUTHENTICATION_FAILED', 'the key is wrong', { hint: 'Give another.' });
  };
  const end = await it.run();
  expect(end).toMatchObject({ state: 'FAILED', error: { code: 'AUTHENTICATION_FAILED', hint: 'Give another.' } });
  expect(it.read('out.jsonl')).toBe('');
});

test('a service that is stopped ends the batch with what it has', async () => {
  const it = rig();
  it.write('in.jsonl', prompts(1000));
  it.ask = async ({ onChunk }) => {
    if (it.asked.length === 100) it.service.end(new PilothouseError('SERVICE_STOPPED', 'it was stopped'));
    onChunk('yes');
    return {};
  };
  expect(await it.run()).toMatchObject({ state: 'FAILED', error: { code: 'SERVICE_STOPPED' } });
  expect(it.rows('out.jsonl').length).toBeGreaterThan(0);
});

test('onError stop: the first failed row ends it', async () => {
  const it = rig(new MemoryService(1, 1));
  it.write('in.jsonl', prompts(50));
  it.ask = async ({ request, onChunk }) => {
    if (textOf(request) === 'question 5') throw new PilothouseError('REQUEST_REFUSED', 'no');
    onChunk('yes');
    return {};
  };
  const end = await it.run({ onError: 'stop' });
  expect(end).toMatchObject({ state: 'FAILED', error: { code: 'BATCH_FAILED' }, progress: { failed: 1 } });
  // The next one may have been on its way already.
  expect(it.asked.length).toBeLessThan(10);
  expect(it.rows('out.jsonl')).toHaveLength((end.progress?.done ?? 0) + 1);
});

test('canceled, it keeps what had come', async () => {
  const it = rig(new MemoryService(1, 2));
  it.write('in.jsonl', prompts(200));
  it.ask = async ({ onChunk, signal }) => {
    if (it.asked.length > 100) {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }
    onChunk('yes');
    return {};
  };
  const spec = it.spec();
  it.batches.submit(spec);
  await it.until(({ state }) => state === 'RUNNING');
  while (it.asked.length < 102) await new Promise(setImmediate);
  it.batches.cancel(spec.id);
  expect(await it.end(spec.id)).toMatchObject({ state: 'CANCELED', error: { code: 'BATCH_CANCELED' } });
  expect(it.rows('out.jsonl')).toHaveLength(100);
  expect([...it.service.outstanding.values()]).toEqual([0]);
  it.ask = async () => ({});
  expect(await it.run()).toMatchObject({ state: 'DONE', progress: { kept: 100, done: 200 } });
});

test.each([
  [
    [
      { id: 1, prompt: 'a' },
      { id: 1, prompt: 'b' },
    ],
    {},
    'lines 1 and 2 have the same key 1',
  ],
  [[{ id: 'a', prompt: 'a' }, { prompt: 'b' }], { key: 'id' }, 'line 2 has no "id"'],
])('keys that do not tell inputs apart are refused: %#', async (lines, description, text) => {
  const it = rig();
  it.write('in.jsonl', lines);
  const { state, error } = await it.run(description);
  expect(state).toBe('FAILED');
  expect(error?.code).toBe('INVALID_DESCRIPTION');
  expect(error?.message).toContain(text);
});

test('without keys rows are told apart by their line, and a changed input is not taken for the old one', async () => {
  const it = rig();
  it.write('in.jsonl', ['"first"', '"second"', '{"prompt": "third"}']);
  expect(await it.run()).toMatchObject({ state: 'DONE' });
  expect(
    it
      .rows('out.jsonl')
      .map(({ key }) => key)
      .toSorted(),
  ).toEqual([0, 1, 2]);
  it.write('in.jsonl', ['"first"', '"another"', '"third"']);
  const { error } = await it.run();
  expect(error?.message).toContain('line 2 has changed');
});

test('a file of plain lines', async () => {
  const it = rig();
  it.write('in.txt', ['one', '', 'two \\" words', 'three']);
  await it.run({}, { input: it.path('in.txt'), format: 'lines' });
  expect(it.asked.toSorted()).toEqual(['one', 'three', 'two \\" words']);
  expect(
    it
      .rows('out.jsonl')
      .map(({ key }) => key)
      .toSorted(),
  ).toEqual([0, 2, 3]);
});

test.each([
  ['embed', ['"a"', '{"input": ["b", "c"]}'], ['a', 'b c']],
  ['complete', ['"a"', '{"prompt": "b"}'], ['a', 'b']],
  ['call', ['{"x": 1}', '{"id": 2, "input": {"x": 2}}'], ['{"x":1}', '{"x":2}']],
  ['infer', ['{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]}'], undefined],
] as const)('what lines mean for %s', async (op, lines, asked) => {
  const it = rig();
  it.ask = async () => ({ value: [1, 2] });
  it.write('in.jsonl', lines);
  expect(await it.run({ op, ...(op === 'call' ? { method: 'fit' } : {}) })).toMatchObject({ state: 'DONE' });
  if (asked !== undefined) expect(it.asked.toSorted()).toEqual(asked);
  expect(it.rows('out.jsonl')[0]).toMatchObject({ text: null, value: [1, 2] });
});

test('images that inputs name by path are read beside the service, within its folders', async () => {
  const it = rig();
  writeFileSync(it.path('dot.png'), Buffer.from('\x89PNG\r\n\x1a\n rest', 'latin1'));
  it.write('in.jsonl', [
    { id: 'good', prompt: [{ text: 'What is it?' }, { image: 'dot.png' }] },
    { id: 'outside', prompt: [{ text: 'What is it?' }, { image: '/etc/hostname' }] },
  ]);
  expect(await it.run()).toMatchObject({ state: 'DONE', progress: { done: 1, failed: 1 } });
  expect(it.asked).toEqual([expect.stringContaining('"image":"data:image/png;base64,')]);
  expect(it.rows('out.jsonl').find(({ key }) => key === 'outside')?.error?.code).toBe('UNSAFE_PATH');
});

test("OpenAI's batch format goes in and comes out", async () => {
  const it = rig();
  const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hi' }] };
  it.ask = async ({ request, target }) => {
    expect(request).toMatchObject({ op: 'rest', path: '/chat/completions', body: { model: 'echo-1', stream: false } });
    expect(target.endpoint.url).toMatch(/\/v1$/);
    return { value: { status: 200, body: { choices: [], usage: { prompt_tokens: 1, completion_tokens: 4 } } } };
  };
  const line = (id: string) => ({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body });
  it.write('in.jsonl', [line('a'), line('b'), { custom_id: 'c', url: '/v1/elsewhere', body }]);
  expect(await it.run({ op: 'openai' })).toMatchObject({ progress: { done: 2, failed: 1, tokens: 8 } });
  const rows = it
    .read('out.jsonl')
    .trim()
    .split('\n')
    .map((text): unknown => JSON.parse(text));
  const first = rows.find((row) => JSON.stringify(row).includes('"custom_id":"a"'));
  expect(first).toMatchObject({ response: { status_code: 200, body: { choices: [] } }, error: null });
  expect(await it.run({ op: 'openai' })).toMatchObject({ progress: { kept: 2, done: 2, failed: 1 } });
});

test('files that cannot be used are named', async () => {
  const it = rig();
  expect((await it.run()).error).toMatchObject({ code: 'DATA_NOT_FOUND' });
  it.write('in.jsonl', prompts(1));
  expect((await it.run({}, { out: it.path('no/out.jsonl') })).error).toMatchObject({
    code: 'DIRECTORY_NOT_FOUND',
    hint: expect.stringContaining('mkdir -p'),
  });
  it.write('other.jsonl', ['a diary']);
  const { error } = await it.run({}, { out: it.path('other.jsonl') });
  expect(error?.message).toContain('line 1, is not a row that a batch has written');
  expect(it.read('other.jsonl')).toBe('a diary\n');
  mkdirSync(join(it.folder, 'folder'));
  expect((await it.run({}, { out: it.path('folder') })).error).toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('canceled before it begins, it touches nothing', async () => {
  const it = rig();
  it.write('in.jsonl', prompts(5));
  it.restart();
  const spec = it.spec();
  it.batches.submit(spec);
  it.batches.cancel(spec.id);
  it.batches.begin();
  expect(await it.end(spec.id)).toMatchObject({ state: 'CANCELED' });
  expect(existsSync(it.path('out.jsonl'))).toBe(false);
  expect(it.held).toEqual([]);
});

test('the end of the pilot and the end of its time', async () => {
  for (const [end, state, code] of [
    ['endAll', 'CANCELED', 'PILOT_ENDED'],
    ['timeOver', 'FAILED', 'WALLTIME_OVER'],
  ] as const) {
    const it = rig();
    it.service.setReady();
    it.write('in.jsonl', prompts(5));
    const spec = it.spec();
    it.batches.submit(spec);
    await it.batches[end]('it was ended');
    expect(await it.end(spec.id)).toMatchObject({ state, error: { code } });
    expect(it.batches.live).toBe(0);
  }
});
