import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toErrorData } from '@pilothouse/sdk/internal';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HttpClient } from '../../src/adapters/http-client.js';
import { OpenAiApi } from '../../src/adapters/openai.js';

const KEY = 'sk-very-secret-4711';

let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => {
    response.statusCode = 401;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ error: { message: `no such key: ${request.headers.authorization}` } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());

it('a key that a server repeats stays out of the error', async () => {
  const api = new OpenAiApi(new HttpClient());
  const { port } = server.address() as AddressInfo;
  const address = { base: `http://127.0.0.1:${port}/v1`, key: KEY, name: 'llm' };
  const signal = AbortSignal.timeout(20_000);
  const options = { model: null, messages: [{ role: 'user' as const, content: 'hi' }], maxTokens: 5 };
  const calls = [
    api.models(address, signal),
    api.chat({ address, ...options, signal, onStart: () => undefined, onText: () => undefined }),
  ];
  for (const outcome of await Promise.allSettled(calls)) {
    const error: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
    expect(error).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    const told = JSON.stringify([toErrorData(error), String(error), error instanceof Error ? error.cause : null]);
    expect(told).not.toContain(KEY);
  }
});
