import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { AnswerRecord, Chunk } from '@pilothouse/sdk/internal';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, newKey, origin, TestHome } from '../support/bridge.js';
import { scratchFolder } from './harness.js';
import { LlamaServer, unavailable } from './llama-server.js';

const KEY = 'a-key-that-nobody-guesses';

describe.skipIf(unavailable !== null)('answers of a running bridge', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let llama: LlamaServer;
  let home: TestHome;

  beforeAll(async () => {
    folder = scratchFolder();
    llama = await LlamaServer.start(folder.path, KEY);
  });
  afterAll(async () => {
    await llama.stop();
    folder.dispose();
  });
  beforeEach(async () => {
    home = await TestHome.make();
  });
  afterEach(() => home.close());

  async function attach(client: Client) {
    await client.credentials.put({ name: 'mine', secret: KEY });
    const description = { url: llama.url, credential: 'mine', name: 'llama' };
    return await client.services.attach({ description, origin, key: newKey() });
  }

  const chat = (client: Client, maxTokens: number) =>
    client.answers.ask({
      service: 'llama',
      request: { op: 'chat', messages: [{ role: 'user', content: 'Tell me a long story.' }] },
      options: { maxTokens },
      origin,
      key: newKey(),
    });

  /** Follows to the end, or until there are enough chunks. */
  async function follow(client: Client, id: string, from: number, enough = Number.POSITIVE_INFINITY) {
    const chunks: Chunk[] = [];
    let last: AnswerRecord | null = null;
    for await (const batch of await client.answers.follow({ id, from })) {
      chunks.push(...batch.chunks);
      last = batch.answer ?? last;
      if (chunks.length >= enough) break;
    }
    return { chunks, last };
  }

  const textOf = (chunks: readonly Chunk[]) => chunks.map(({ text }) => text).join('');

  test('kill -9 in the middle: the slot is free, the text is kept, the service is there, retry works', async () => {
    const first = await home.serve();
    await attach(first.client);
    const asked = await chat(first.client, 900);
    const before = await follow(first.client, asked.id, 0, 10);
    expect((await first.client.answers.get({ ref: asked.id })).state).toBe('STREAMING');
    expect(await llama.busySlots()).toBe(1);
    const exited = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await exited;
    await expect.poll(() => llama.busySlots(), { timeout: 10_000 }).toBe(0);

    const { client } = await home.serve();
    const { chunks, last } = await follow(client, asked.id, before.chunks.length);
    expect(last).toMatchObject({ state: 'FAILED', error: { code: 'BRIDGE_RESTARTED' } });
    const seen = textOf([...before.chunks, ...chunks]);
    // What a client saw in the last moment may not have been written down; everything written down was seen.
    expect(last?.text?.length).toBeGreaterThan(0);
    expect(seen.startsWith(last?.text ?? '?')).toBe(true);
    expect(await client.services.get({ ref: 'llama' })).toMatchObject({ state: 'READY' });
    const again = await client.answers.retry({ ref: asked.id, origin, key: newKey() });
    await client.answers.stop({ ref: again.id });
    expect(await client.answers.get({ ref: again.id })).toMatchObject({ state: 'CANCELED', retryOf: asked.id });
  });

  test('credits hold a stream back and lose nothing; the key is nowhere but in its file', async () => {
    const { client } = await home.serve();
    await attach(client);
    const asked = await chat(client, 40);
    const sub = 'sub-0000000001';
    const chunks: Chunk[] = [];
    let batches = 0;
    for await (const batch of await client.answers.follow({ id: asked.id, from: 0, sub, credits: 1 })) {
      expect(batch.from).toBe(chunks.length);
      chunks.push(...batch.chunks);
      batches += 1;
      await client.system.grant({ sub, credits: 1 });
    }
    const { text, state } = await client.answers.get({ ref: asked.id });
    expect({ state, text }).toEqual({ state: 'DONE', text: textOf(chunks) });
    expect(batches).toBeGreaterThan(1);
    expect(await client.credentials.list({})).toEqual([expect.objectContaining({ name: 'mine' })]);
    const files = readdirSync(home.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const holding = files.filter((file) => readFileSync(file).includes(KEY));
    expect(holding).toEqual([join(home.home, 'credentials', 'mine')]);
    expect(home.output).not.toContain(KEY);
  });

  test('over HTTP an answer is an event stream', async () => {
    const { client } = await home.serve();
    await attach(client);
    const asked = await chat(client, 8);
    const body = JSON.stringify({ id: asked.id });
    const call = request({
      socketPath: home.socket,
      path: '/api/v1/answers/follow',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    call.end(body);
    const [response] = await once(call, 'response');
    expect(response.headers['content-type']).toContain('text/event-stream');
    let text = '';
    for await (const part of response) text += part;
    const states = [...text.matchAll(/"state":"([A-Z]+)"/g)].map(([, state]) => state);
    expect(states[states.length - 1]).toBe('DONE');
  });
});
