import type { ServiceApi, ServiceRequestInput } from '@pilothouse/sdk/shared';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createAdapters } from '../src/index.js';
import { ask } from './support/ask.js';
import { serve, type TestServer } from './support/http-server.js';
import { targetAt } from './support/targets.js';

const adapters = createAdapters();
let server: TestServer;
afterEach(() => server.close());
afterAll(() => adapters.close());

const tensor = { name: 'x', shape: [1], datatype: 'FP32' as const, data: [1] };
const REQUESTS: readonly (readonly [string, ServiceApi, ServiceRequestInput, string, string])[] = [
  // what, API, request, content type of its answer, the beginning of one
  [
    'chat',
    'openai',
    { op: 'chat', messages: [{ role: 'user', content: 'hi' }] },
    'text/event-stream',
    'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
  ],
  [
    'completion',
    'openai',
    { op: 'complete', prompt: 'a' },
    'text/event-stream',
    'data: {"choices":[{"text":"a"}]}\n\n',
  ],
  ['embedding', 'openai', { op: 'embed', input: ['a'] }, 'application/json', '{"data":[{"embedd'],
  [
    'chat',
    'ollama',
    { op: 'chat', messages: [{ role: 'user', content: 'hi' }] },
    'application/x-ndjson',
    '{"message":{"content":"a"},"done":false}\n',
  ],
  ['embedding', 'ollama', { op: 'embed', input: ['a'] }, 'application/json', '{"embeddings":[[1'],
  ['tensors', 'open-inference', { op: 'infer', inputs: [tensor] }, 'application/json', '{"outputs":['],
  [
    'streamed tensors',
    'open-inference',
    { op: 'infer', inputs: [tensor], stream: true },
    'text/event-stream',
    'data: {"outputs":[{"name":"y","shape":[1],"datatype":"FP32","data":[1]}]}\n\n',
  ],
];

describe.each(REQUESTS)('%s of %s, when something is wrong', (_, api, request, type, beginning) => {
  const adapter = adapters.byApi[api];
  const target = (url: string) => targetAt(url, { name: 'llm instance 2', model: 'm', key: 'some-key' });

  it('200 with an empty body', async () => {
    server = await serve((_request, response) => response.writeHead(200, { 'content-type': type }).end());
    await expect(ask(adapter, target(server.url), request)).rejects.toMatchObject({
      code: 'BACKEND_FAILED',
      message: 'llm instance 2 answered 200 with an empty body',
      retryable: true,
    });
  });

  it('dies in the middle', async () => {
    server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': type });
      response.write(beginning, () => response.destroy());
    });
    await expect(ask(adapter, target(server.url), request)).rejects.toMatchObject({
      code: 'STREAM_CUT',
      message: 'llm instance 2 ended the stream in the middle of the answer',
    });
  });

  it('takes the request and never answers: the time-out of the caller ends it, there too', async () => {
    const gone = Promise.withResolvers<void>();
    const control = new AbortController();
    server = await serve((_request, response) => {
      response.once('close', () => gone.resolve());
      control.abort(new Error('too late'));
    });
    await expect(ask(adapter, target(server.url), request, {}, control.signal)).rejects.toThrow('too late');
    await gone.promise;
  });

  it('wrong key, loading, too busy, broken, model not there', async () => {
    let [status, body] = [0, ''];
    server = await serve((_request, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    );
    const told = async (nextStatus: number, nextBody: string) => {
      [status, body] = [nextStatus, nextBody];
      return await ask(adapter, target(server.url), request).catch((error: unknown) => error);
    };
    const named = { message: expect.stringContaining('llm instance 2'), hint: expect.any(String) };
    expect(await told(401, '')).toMatchObject({ ...named, code: 'AUTHENTICATION_FAILED', retryable: false });
    expect(await told(503, '{"error":{"message":"Loading model"}}')).toMatchObject({
      ...named,
      code: 'SERVICE_NOT_READY',
      retryable: true,
    });
    expect(await told(429, '')).toMatchObject({ ...named, code: 'QUEUE_FULL', retryable: true });
    expect(await told(500, '{"error":"out of memory"}')).toMatchObject({
      code: 'BACKEND_FAILED',
      message: expect.stringContaining('out of memory'),
      retryable: true,
    });
    expect(await told(404, '{"error":"model \'m\' not found"}')).toMatchObject({
      ...named,
      code: 'MODEL_NOT_FOUND',
      retryable: false,
    });
    expect(await told(400, '{"error":"model m is not loaded"}')).toMatchObject({ ...named, code: 'SERVICE_NOT_READY' });
  });

  it('something that is no answer', async () => {
    server = await serve((_request, response) =>
      response.writeHead(200, { 'content-type': type }).end('data: <html>\n\n'),
    );
    await expect(ask(adapter, target(server.url), request)).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
  });
});

describe('the end of an answer', () => {
  it('of a completion without a reason is a cut, also where the connection ends well', async () => {
    server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: {"choices":[{"text":"a"}]}\n\n');
    });
    const target = targetAt(server.url, { name: 'llm', model: 'm' });
    await expect(ask(adapters.byApi.openai, target, { op: 'complete', prompt: 'a' })).rejects.toMatchObject({
      code: 'STREAM_CUT',
    });
  });

  it('of Ollama without done is a cut', async () => {
    server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end('{"response":"a","done":false}\n');
    });
    const target = targetAt(server.url, { name: 'llm', model: 'm' });
    await expect(ask(adapters.byApi.ollama, target, { op: 'complete', prompt: 'a' })).rejects.toMatchObject({
      code: 'STREAM_CUT',
    });
  });
});
