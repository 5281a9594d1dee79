import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createAdapters } from '../src/index.js';
import { ask } from './support/ask.js';
import { serve, type TestServer } from './support/http-server.js';
import { targetAt } from './support/targets.js';

/**
 * Messages made from the documented schema of the API, since no package brings a real Ollama.
 *
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 */
const TAGS = {
  models: [
    {
      name: 'smollm2:135m',
      model: 'smollm2:135m',
      size: 270_898_672,
      digest: '9077fe9d2ae1a4a41a868836b56b8163731a8fe16621397028c2c76f838c6907',
    },
    {
      name: 'all-minilm:latest',
      model: 'all-minilm:latest',
      size: 45_960_996,
      digest: '1b226e2802dbb772b5fc32a58f103ca1804ef7501331012de126ab22f67475ef',
    },
  ],
};
const stamp = { model: 'smollm2:135m', created_at: '2026-11-21T12:00:00.000000Z' };
const chatLine = (content: string) => ({ ...stamp, message: { role: 'assistant', content }, done: false });
const END = {
  ...stamp,
  done: true,
  done_reason: 'stop',
  total_duration: 4_883_583_458,
  load_duration: 1_334_875,
  prompt_eval_count: 26,
  prompt_eval_duration: 342_546_000,
  eval_count: 282,
  eval_duration: 4_535_599_000,
};

const adapters = createAdapters();
const { ollama } = adapters.byApi;
const seen: { url: string | undefined; body: unknown }[] = [];
let server: TestServer;

afterEach(async () => {
  seen.length = 0;
  await server.close();
});
afterAll(() => adapters.close());

/** @param lines - what the stream holds; cut in the middle of each, to come in two reads */
async function ollamaThatSays(lines: readonly unknown[]) {
  server = await serve((request, response, body) => {
    if (request.url === '/api/tags') return response.end(JSON.stringify(TAGS));
    seen.push({ url: request.url, body: JSON.parse(body) });
    response.setHeader('content-type', 'application/x-ndjson');
    for (const line of lines) {
      const text = `${JSON.stringify(line)}\n`;
      response.write(text.slice(0, 20));
      response.write(text.slice(20));
    }
    return response.end();
  });
  return targetAt(server.url, { name: 'ollama', model: 'smollm2:135m' });
}

describe('Ollama, by its documented messages', () => {
  it('chats, with options by its own names', async () => {
    const target = await ollamaThatSays([
      chatLine('Hel'),
      chatLine('lo'),
      { ...END, message: { role: 'assistant', content: '' } },
    ]);
    expect(await ollama.models(target, AbortSignal.timeout(30_000))).toEqual(['smollm2:135m', 'all-minilm:latest']);
    const said = await ask(
      ollama,
      target,
      {
        op: 'chat',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: [{ text: 'What is this?' }, { image: 'data:image/png;base64,iVBORw0K' }] },
        ],
      },
      { maxTokens: 9, temperature: 0.5, topP: 0.9, seed: 3, stop: ['.'], extra: { num_ctx: 512, keep_alive: '1m' } },
    );
    expect(said).toMatchObject({
      text: 'Hello',
      finishReason: 'stop',
      model: 'smollm2:135m',
      revision: TAGS.models[0]?.digest,
      usage: { promptTokens: 26, completionTokens: 282 },
    });
    expect(said.inference).toBeCloseTo(342.546 + 4535.599, 3);
    expect(seen).toEqual([
      {
        url: '/api/chat',
        body: {
          model: 'smollm2:135m',
          stream: true,
          keep_alive: '1m',
          messages: [
            { role: 'system', content: 'Be brief.' },
            { role: 'user', content: 'What is this?', images: ['iVBORw0K'] },
          ],
          options: { num_ctx: 512, num_predict: 9, temperature: 0.5, top_p: 0.9, seed: 3, stop: ['.'] },
        },
      },
    ]);
  });

  it('completes a prompt, and gives vectors', async () => {
    const generate = await ollamaThatSays([
      { ...stamp, response: 'a', done: false },
      { ...END, response: 'b' },
    ]);
    expect(await ask(ollama, generate, { op: 'complete', prompt: 'x' })).toMatchObject({
      text: 'ab',
      finishReason: 'stop',
    });
    expect(seen[0]).toMatchObject({ url: '/api/generate', body: { prompt: 'x' } });
    await server.close();
    const embed = await ollamaThatSays([
      {
        model: 'smollm2:135m',
        embeddings: [
          [0.1, 0.2],
          [0.3, 0.4],
        ],
        total_duration: 14_143_917,
        load_duration: 1_019_500,
        prompt_eval_count: 8,
      },
    ]);
    const said = await ask(ollama, embed, { op: 'embed', input: ['a', 'b'] });
    expect(said).toMatchObject({
      value: [
        [0.1, 0.2],
        [0.3, 0.4],
      ],
      usage: { promptTokens: 8, completionTokens: 0 },
    });
  });

  it('a failure in the midst of a stream is that failure; files by path are not taken', async () => {
    const target = await ollamaThatSays([
      chatLine('a'),
      { error: 'llama runner process has terminated: signal: killed' },
    ]);
    const image = { role: 'user' as const, content: [{ image: 'data/A01.png' }] };
    await expect(ask(ollama, target, { op: 'chat', messages: [{ role: 'user', content: 'x' }] })).rejects.toMatchObject(
      {
        code: 'BACKEND_FAILED',
        message: expect.stringContaining('llama runner process has terminated'),
      },
    );
    await expect(ask(ollama, target, { op: 'chat', messages: [image] })).rejects.toMatchObject({
      code: 'UNSUPPORTED_REQUEST',
      hint: expect.stringContaining('openai'),
    });
  });
});
