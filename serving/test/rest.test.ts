import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createAdapters, unsupported } from '../src/index.js';
import { ask } from './support/ask.js';
import { serve, type TestServer } from './support/http-server.js';
import { targetAt } from './support/targets.js';

const adapters = createAdapters();
const { rest } = adapters.byApi;
let server: TestServer;
afterEach(() => server.close());
afterAll(() => adapters.close());

async function serving(type: string, pieces: readonly string[], status = 200) {
  server = await serve((request, response, body) => {
    response.writeHead(status, {
      'content-type': type,
      'server-timing': 'db;dur=1, queue;dur=2.5, inference;dur=12.5',
      'x-asked': `${request.method} ${request.url} ${request.headers.authorization ?? ''} ${body}`,
    });
    for (const piece of pieces) response.write(piece);
    response.end();
  });
  return targetAt(`${server.url}/api`, { key: 'the-secret', name: 'scorer' });
}

describe('plain REST', () => {
  it('JSON and text are values; a server that says so tells its times', async () => {
    const json = await serving('application/json; charset=utf-8', ['{"score":', '0.5}']);
    expect(await ask(rest, json, { op: 'rest', path: '/score', body: { x: 1 } })).toMatchObject({
      value: { status: 200, body: { score: 0.5 } },
      inference: 12.5,
      queued: 2.5,
    });
    await server.close();
    const text = await serving('text/plain', ['fine'], 202);
    expect((await ask(rest, text, { op: 'rest', method: 'GET', path: '/health' })).value).toEqual({
      status: 202,
      body: 'fine',
    });
    await server.close();
    const nothing = await serving('application/json', []);
    expect((await ask(rest, nothing, { op: 'rest', method: 'DELETE', path: '/x' })).value).toEqual({
      status: 200,
      body: null,
    });
  });

  it('server-sent events and JSON lines are pieces', async () => {
    const events = await serving('text/event-stream', ['data: {"n":1}\n\nda', 'ta: plain\n\n', 'data: [DONE]\n\n']);
    expect(await ask(rest, events, { op: 'rest', path: '/s' })).toMatchObject({
      data: [{ n: 1 }],
      text: 'plain',
      value: null,
    });
    await server.close();
    const lines = await serving('application/x-ndjson', ['{"n":1}\n{"n"', ':2}\n\n{"n":3}']);
    expect((await ask(rest, lines, { op: 'rest', path: '/s' })).data).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('a path cannot leave the address, whose key it would take along', async () => {
    const target = await serving('application/json', ['{}']);
    for (const path of ['/../secrets', '/x/../../admin', '/%2e%2e/admin']) {
      await expect(ask(rest, target, { op: 'rest', path })).rejects.toMatchObject({ code: 'UNSAFE_PATH' });
    }
    expect((await ask(rest, target, { op: 'rest', path: '/a/../b?c=/../d' })).value).toMatchObject({ status: 200 });
  });

  it('what is no JSON, no text and no stream is refused, and so are requests of other APIs', async () => {
    const image = await serving('image/png', ['\u0089PNG']);
    await expect(ask(rest, image, { op: 'rest', method: 'GET', path: '/i' })).rejects.toMatchObject({
      code: 'UNSUPPORTED_FORMAT',
      message: 'scorer answers /i with image/png',
    });
    await expect(ask(rest, image, { op: 'embed', input: ['x'] })).rejects.toMatchObject({
      code: 'UNSUPPORTED_REQUEST',
    });
    expect(unsupported(adapters.byApi.any, 'tool', 'chat')).toMatchObject({
      message: 'tool speaks a protocol of its own and takes no chat requests',
      hint: 'Pilothouse starts and watches it, and cannot call it.',
    });
    expect(unsupported(adapters.byApi.openai, 'llm', 'infer')?.hint).toBe(
      'Ask it for one of: chat, completion, embedding.',
    );
  });

  it('an error of the server says what was asked for', async () => {
    const target = await serving('application/json', ['{"detail":"no such path"}'], 404);
    await expect(ask(rest, target, { op: 'rest', path: '/nope' })).rejects.toMatchObject({
      code: 'API_NOT_RECOGNISED',
      message: 'scorer has no POST /nope (it answered 404: no such path)',
    });
  });
});
