import type { ServiceRequestInput } from '@pilothouse/sdk/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdapters } from '../src/index.js';
import { ask } from './support/ask.js';
import { hasLlama, startLlama } from './support/llama.js';
import type { Peer } from './support/peers.js';
import { targetAt } from './support/targets.js';

const KEY = 'a-key-that-nobody-guesses';

describe.skipIf(!hasLlama)('OpenAI, with the real llama-server', () => {
  const adapters = createAdapters();
  const { openai } = adapters.byApi;
  let chat: Peer;
  let embedder: Peer;
  const target = () => targetAt(chat.url, { key: KEY, model: 'smollm2', name: 'smollm2' });

  beforeAll(async () => {
    [chat, embedder] = await Promise.all([startLlama(KEY), startLlama(null, ['--embeddings', '--pooling', 'mean'])]);
  }, 160_000);
  afterAll(async () => {
    adapters.close();
    await Promise.all([chat?.stop(), embedder?.stop()]);
  });

  it('chats: pieces, usage, its own time and revision', async () => {
    const said = await ask(
      openai,
      target(),
      { op: 'chat', messages: [{ role: 'user', content: 'What is DNA?' }] },
      { maxTokens: 12 },
    );
    expect(said).toMatchObject({
      finishReason: 'length',
      model: 'smollm2',
      usage: { completionTokens: 12 },
      started: true,
    });
    expect(said.text).not.toBe('');
    expect(said.inference).toBeGreaterThan(0);
    expect(said.revision).toEqual(expect.any(String));
  });

  it('samples as it is told: the same seed gives the same text, and it stops where it is told', async () => {
    const request = { op: 'complete', prompt: 'One, two, three,' } as const;
    const options = { maxTokens: 16, temperature: 0.9, topP: 0.9, seed: 7 };
    const [one, two] = [await ask(openai, target(), request, options), await ask(openai, target(), request, options)];
    expect(one.text).toBe(two.text);
    const stopped = await ask(openai, target(), request, {
      ...options,
      temperature: 0,
      stop: ['five'],
      extra: { top_k: 1 },
    });
    expect(stopped.text).toContain('four');
    expect(stopped).toMatchObject({ finishReason: 'stop', text: expect.not.stringContaining('five') });
  });

  it('gives one vector per text', async () => {
    const texts = ['radiation', 'dose', 'DNA repair'];
    const plain = targetAt(embedder.url);
    const { value, usage } = await ask(openai, plain, { op: 'embed', input: texts });
    const vectors = value as number[][];
    expect(vectors).toHaveLength(3);
    expect(new Set(vectors.map(({ length }) => length)).size).toBe(1);
    expect(vectors[0]?.length).toBeGreaterThan(100);
    expect(usage?.promptTokens).toBeGreaterThan(0);
  });

  it('lists its models and says that it is well', async () => {
    expect(await openai.models(target(), AbortSignal.timeout(30_000))).toEqual(['smollm2']);
    expect(await openai.check(target(), AbortSignal.timeout(30_000))).toBe('lists 1 model');
  });

  it('an abort stops the work of the server', async () => {
    const control = new AbortController();
    const answer = openai.ask({
      target: target(),
      request: { op: 'complete', prompt: 'Once upon a time' },
      options: { maxTokens: 900 },
      signal: control.signal,
      onStart: () => undefined,
      onChunk: () => control.abort(new Error('enough')),
    });
    await expect(answer).rejects.toThrow('enough');
    const busy = async () => {
      const slots = await (await fetch(`${chat.url}/slots`, { headers: { authorization: `Bearer ${KEY}` } })).json();
      return (slots as { is_processing: boolean }[]).filter(({ is_processing }) => is_processing).length;
    };
    await expect.poll(busy, { timeout: 20_000 }).toBe(0);
  });

  it('a wrong key, a prompt that is too long, and no embeddings here are told apart', async () => {
    const hi: ServiceRequestInput = { op: 'chat', messages: [{ role: 'user', content: 'hi' }] };
    await expect(ask(openai, { ...target(), key: 'wrong-key' }, hi)).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    });
    await expect(ask(openai, target(), { op: 'complete', prompt: 'DNA '.repeat(3000) })).rejects.toMatchObject({
      code: 'CONTEXT_EXCEEDED',
    });
    await expect(ask(openai, target(), { op: 'embed', input: ['x'] })).rejects.toMatchObject({
      message: expect.stringContaining('smollm2'),
      hint: expect.any(String),
    });
  });
});
