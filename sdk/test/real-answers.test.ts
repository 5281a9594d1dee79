import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReconnectingConnector } from '../src/client/connection/reconnecting.js';
import { LiveSession } from '../src/client/session.js';
import type { Service, Session } from '../src/client/types.js';
import { connect } from '../src/node/index.js';
import { CuttingProxy } from './support/cutting-proxy.js';
import { kill, Product } from './support/product.js';
import { dialPath, eventually } from './support/sessions.js';

const QUESTION = 'Tell me a long story about a whale and a lighthouse.';

let product: Product;
let session: Session;
let llm: Service;
let available: string | null;

beforeAll(async () => {
  product = new Product();
  session = await connect();
  const template = (await session.services.templates()).find(({ name }) => name === 'smollm2');
  available = template?.available ? null : (template?.reason ?? 'there is no such template');
  if (available !== null) return;
  const pilot = await session.pilots.ensure('demo', { cores: 1, runtime: '10m' });
  llm = await session.services.ensure('smollm2', { pilot });
  await llm.ready({ timeout: '90s' });
});

afterAll(async () => {
  await session?.close();
  await product.remove();
});

describe('an answer of a real model', () => {
  it('arrives whole over a connection that keeps breaking, in the middle of frames too', async ({ skip }) => {
    if (available !== null) skip(available);
    // Handshake, hello and snapshot need some kilobytes; the cuts fall before, within and after them.
    const budgets = [100, 900, 2_500, 6_000, 6_100, 7_003, 8_000, 9_001, 12_000, 15_000];
    const proxy = new CuttingProxy(join(product.folder, 'proxy'), join(product.runtimeDir, 'bridge.sock'), budgets);
    await proxy.listen();
    const connector = new ReconnectingConnector({ dial: dialPath(proxy.path), client: 'test' });
    const shaky = new LiveSession(connector, () => ({ name: 'shaky', kind: 'node', env: {} }));
    const answer = llm.chat(QUESTION, { maxTokens: 150 });
    await eventually(() => answer.id !== '', 'the question is taken');
    const followed = await shaky.answers.get(answer.id);
    const seen: string[] = [];
    await followed.forEach(({ text }) => {
      seen.push(text);
    });
    expect(proxy.cuts).toBeGreaterThan(4);
    const recorded = await session.answers.get(answer.id);
    expect(recorded.record.chunks).toBe(seen.length);
    expect(seen.join('')).toBe(recorded.record.text);
    expect((await followed.result()).text).toBe((await answer.result()).text);
    await shaky.close();
    await proxy.close();
  });

  it('that was under way when Pilothouse was killed says so, keeps what came, and can be asked again', async ({
    skip,
  }) => {
    if (available !== null) skip(available);
    const answer = llm.chat(QUESTION, { maxTokens: 400 });
    let chunks = 0;
    const cut = answer.forEach(() => {
      chunks += 1;
      if (chunks === 10) for (const pid of product.bridges()) kill(pid);
    });
    await expect(cut).rejects.toMatchObject({ code: 'BRIDGE_RESTARTED', retryable: true });
    expect(answer.state).toBe('FAILED');
    expect(answer.text).not.toBe('');
    const again = answer.retry();
    await again.until('STREAMING', { timeout: '30s' });
    expect(again.record.retryOf).toBe(answer.id);
    await again.stop();
    expect((await again.done({ timeout: '30s' })).state).toBe('CANCELED');
    await expect(again.result()).rejects.toMatchObject({ code: 'ANSWER_STOPPED' });
    expect(llm.state).toBe('READY');
  });
});
