import { toErrorData } from '@pilothouse/sdk/shared';
import { afterEach, expect, it } from 'vitest';
import { createAdapters } from '../src/index.js';
import { ask } from './support/ask.js';
import { serve } from './support/http-server.js';
import { targetAt } from './support/targets.js';

const KEY = 'sk-very-secret-4711';
const adapters = createAdapters();
afterEach(() => adapters.close());

it('a key that a server repeats stays out of the error', async () => {
  const server = await serve((request, response) => {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `no such key: ${request.headers.authorization}` } }));
  });
  const target = targetAt(server.url, { key: KEY, name: 'llm' });
  const { openai } = adapters.byApi;
  const calls = [
    openai.models(target, AbortSignal.timeout(20_000)),
    ask(openai, target, { op: 'chat', messages: [{ role: 'user', content: 'hi' }] }),
  ];
  for (const outcome of await Promise.allSettled(calls)) {
    const error: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    const told = JSON.stringify([toErrorData(error), String(error), error instanceof Error ? error.cause : null]);
    expect(told).not.toContain(KEY);
  }
  await server.close();
});
