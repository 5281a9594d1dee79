import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PilothouseError } from '../src/errors/index.js';
import { defineService } from '../src/service-definition/define-service.js';
import { methodsOf } from '../src/service-definition/json-schema.js';
import { createTestSession, testInstance, testService } from '../src/testing/index.js';

const doseResponse = defineService({
  name: 'dose-response',
  input: z.object({ dose: z.array(z.number()), response: z.array(z.number()) }),
  output: z.object({ ec50: z.number(), hill: z.number() }),
});

const cells = defineService({
  name: 'cells',
  methods: {
    count: { input: z.object({ image: z.string() }), output: z.int() },
    track: {
      input: z.object({ frames: z.int() }),
      output: z.object({ tracks: z.int() }),
      chunk: z.object({ frame: z.int() }),
    },
  },
});

describe('requests', () => {
  it('ask whatever the API has, and give its value', async () => {
    const { session } = createTestSession({ answer: (messages) => [JSON.stringify(messages.at(-1)?.content)] });
    const llm = await session.services.ensure('smollm2');
    expect((await llm.complete('Once upon').result()).text).toBe('"Once upon"');
    const parts = await llm.chat([{ text: 'How many nuclei?' }, { image: 'data/A01.png' }]).result();
    expect(JSON.parse(parts.text)).toEqual([{ text: 'How many nuclei?' }, { image: 'data/A01.png' }]);
    const vectors = llm.embed(['DNA', 'repair']);
    expect(await vectors.result()).toEqual([
      [3, 0, 1],
      [6, 0, 1],
    ]);
    expect(vectors.timing?.inference).toBe(6);
    expect(vectors.instance).toBe(1);
    expect(vectors.value).toHaveLength(2);
    expect(await llm.embed('DNA').result()).toHaveLength(1);
    const tensor = { name: 'x', shape: [2], datatype: 'FP32', data: new Float32Array([0.5, 2]) } as const;
    expect(await llm.infer([tensor]).result()).toEqual([{ name: 'x', shape: [2], datatype: 'FP32', data: [0.5, 2] }]);
    expect(await llm.rest('/predict', { body: { x: 1 } }).result()).toEqual({ status: 200, body: { x: 1 } });
    expect(await llm.call('fit', [1, 2]).result()).toEqual([1, 2]);
    await session.close();
  });

  it('come in pieces where that is asked for', async () => {
    async function* pieces() {
      yield { row: 1 };
      yield { row: 2 };
      return 'both';
    }
    const { session } = createTestSession({ reply: pieces });
    const service = await session.services.ensure('smollm2');
    const answer = service.call('rows', {}, { stream: true });
    const chunks = await lastValueFrom(answer.chunks$.pipe(toArray()));
    expect(chunks.map(({ data }) => data)).toEqual([{ row: 1 }, { row: 2 }]);
    expect(await answer.result()).toBe('both');
    await session.close();
  });

  it('say what came back where it is something else than was asked for', async () => {
    const { session } = createTestSession({ reply: () => ({ nothing: 'of the kind' }) });
    const llm = await session.services.ensure('smollm2');
    for (const answer of [llm.embed('x'), llm.infer([]), llm.rest('/')]) {
      await expect(answer.result()).rejects.toMatchObject({ code: /INVALID_RESULT|INVALID_DESCRIPTION/ });
    }
    await session.close();
  });

  it('that find the queue full say when to come back', async () => {
    const full = () => {
      throw new PilothouseError('QUEUE_FULL', '256 requests wait', { retryAfter: 3 });
    };
    const { session } = createTestSession({ answer: full });
    const llm = await session.services.ensure('smollm2');
    await expect(llm.chat('Hi').result()).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      retryable: true,
      retryAfter: 3,
    });
    await session.close();
  });
});

describe('a service by its definition', () => {
  it('is called with what its schemas say', async () => {
    const { session } = createTestSession({ reply: () => ({ ec50: 1.5, hill: 2 }) });
    await session.services.start('dose-response', { command: ['serve'], api: 'zeromq' });
    const caller = session.services.get(doseResponse);
    await caller.ready();
    const { ec50 } = await caller.call({ dose: [1], response: [2] }).result();
    expect(ec50).toBe(1.5);
    const wrong = caller.call(JSON.parse('{"dose": ["one"], "response": []}'));
    await expect(wrong.result()).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'input.dose.0' });
    expect(wrong.state).toBe('FAILED');
    await session.close();
  });

  it('has its methods by name, and checks what they give', async () => {
    function* reply() {
      yield { frame: 1 };
      return { tracks: 'three' };
    }
    const { session } = createTestSession({ reply });
    await session.services.start('cells', { command: ['serve'] });
    const answer = session.services.get(cells).call('track', { frames: 3 });
    const chunks = await lastValueFrom(answer.chunks$.pipe(toArray()));
    expect(chunks.map(({ data }) => data?.frame)).toEqual([1]);
    await expect(answer.result()).rejects.toMatchObject({ code: 'INVALID_RESULT', field: 'output.tracks' });
    await session.close();
  });

  it('that only publishes its schemas is checked by them', async () => {
    const service = testService({ name: 'cells', methods: methodsOf(cells) });
    const { session } = createTestSession({ picture: { services: [service] }, reply: () => 12 });
    const handle = await session.services.get('cells');
    expect(await handle.call('count', { image: 'a.png' }).result()).toBe(12);
    await expect(handle.call('count', { image: 3 }).result()).rejects.toMatchObject({
      code: 'INVALID_DESCRIPTION',
      field: 'input.image',
    });
    await expect(handle.call('cuont', {}).result()).rejects.toMatchObject({
      code: 'METHOD_NOT_FOUND',
      hint: expect.stringContaining('count'),
    });
    await session.close();
  });
});

describe('a service', () => {
  it('scales, drains and restarts, by instance too', async () => {
    const instances = [testInstance({ index: 1 }), testInstance({ index: 2 })];
    const { session } = createTestSession({ picture: { services: [testService({ name: 'llm', instances })] } });
    const llm = await session.services.get('llm');
    await llm.scale({ min: 1, max: 4 });
    expect(llm.record.scale).toMatchObject({ min: 1, max: 4 });
    await llm.scale(3);
    expect(llm.record.instances.map(({ index }) => index)).toEqual([1, 2, 3]);
    await llm.drain({ instance: 2 });
    expect(llm.record.instances.map(({ draining }) => draining)).toEqual([false, true, false]);
    await llm.restart();
    expect(llm.record.instances.map(({ attempt }) => attempt)).toEqual([2, 2, 2]);
    expect(await llm.statistics({ step: '10s', buckets: 6 })).toEqual({ step: 10, buckets: [] });
    await expect(llm.statistics({ step: '1 parsec' })).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION' });
    await session.close();
  });

  it('is looked at before it is attached or started', async () => {
    const { session } = createTestSession();
    const found = await session.services.detect({ url: 'http://127.0.0.1:8000/v1' });
    expect(found).toMatchObject({ api: 'openai', remedy: null });
    expect(await session.services.preview('mine', { command: ['serve', '{port}'] })).toMatchObject({
      command: ['serve', '{port}'],
    });
    await session.close();
  });

  it('is asked for many rows as one batch', async () => {
    const { session } = createTestSession({ answer: (messages) => [`${messages[0]?.content}!`] });
    const llm = await session.services.ensure('smollm2');
    const batch = await llm.map(['one', 'two'], { maxTokens: 5 });
    const rows = await batch.results();
    expect(rows.map(({ text }) => text)).toEqual(['one!', 'two!']);
    expect(session.picture.batches[0]?.id).toBe(batch.id);
    await session.close();
  });
});

describe('kept answers', () => {
  it('are found by what was asked and said, newest first', async () => {
    const { session } = createTestSession({ answer: (messages) => [`About ${messages[0]?.content}`] });
    const llm = await session.services.ensure('smollm2');
    for (const question of ['dose', 'DNA', 'a higher dose']) await llm.chat(question).result();
    const { answers, total } = await session.answers.search({ text: 'DOSE', service: llm, state: 'DONE', limit: 1 });
    expect(total).toBe(2);
    expect((await answers[0]?.result())?.text).toBe('About a higher dose');
    await session.close();
  });
});
