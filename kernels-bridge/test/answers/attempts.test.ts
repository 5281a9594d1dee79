import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import {
  newId,
  type RequestOptions,
  requestSchema,
  type ServiceDescription,
  type ServiceRecord,
  type ServiceRequestInput,
  serviceDescriptionSchema,
} from '@pilothouse/sdk/internal';
import { testPilot } from '@pilothouse/sdk/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  beginStream,
  followAll,
  ORIGIN,
  openAnswers,
  type Parts,
  recorded,
  scratchFolder,
  serve,
  serviceAt,
  until,
} from './harness.js';
import { closed, PIECES, Servers, STREAM } from './servers.js';

type Routing = NonNullable<ServiceDescription['routing']>;

let scratch: ReturnType<typeof scratchFolder>;
let servers: Servers;
let parts: Parts;

beforeEach(async () => {
  scratch = scratchFolder();
  servers = new Servers();
  parts = await openAnswers(scratch.path);
});
afterEach(async () => {
  await parts.close();
  await servers.close();
  scratch.dispose();
});

function put(urls: readonly string[], routing: Routing = {}, more: Partial<ServiceRecord> = {}): ServiceRecord {
  const description = serviceDescriptionSchema.parse({ template: 'smollm2', routing });
  return parts.picture.put('service', { ...serviceAt(urls), description, ...more });
}

const CHAT: ServiceRequestInput = {
  op: 'chat',
  messages: [{ role: 'user', content: 'What does radiation do to DNA?' }],
};

async function answer(service: ServiceRecord, request: ServiceRequestInput = CHAT, options: RequestOptions = {}) {
  const asked = await parts.answers.ask({
    service: service.id,
    request: requestSchema.parse(request),
    options: { timeout: '60s', ...options },
    origin: ORIGIN,
    key: newId('key'),
  });
  return asked;
}
const finish = async (service: ServiceRecord, request: ServiceRequestInput = CHAT, options: RequestOptions = {}) =>
  await followAll(parts, (await answer(service, request, options)).id);

const outstanding = (service: ServiceRecord) => parts.directory.find(service.id)?.load.outstanding;

describe('another instance is asked', () => {
  test.each([
    [
      'answers 500',
      'BACKEND_FAILED',
      (response: ServerResponse) => response.writeHead(500).end('{"error":"out of memory"}'),
    ],
    ['answers 200 with an empty body', 'BACKEND_FAILED', (response: ServerResponse) => response.writeHead(200).end()],
    ['loads its model', 'SERVICE_NOT_READY', (response: ServerResponse) => response.writeHead(503).end()],
    ['hangs up', 'SERVICE_UNREACHABLE', (response: ServerResponse) => response.destroy()],
    [
      'ends the stream before a word',
      'STREAM_CUT',
      (response: ServerResponse) => beginStream(response)(Buffer.from(': hm\n\n')) ?? response.end(),
    ],
  ])('where the first %s; both failures and the answer are told', async (_, code, fault) => {
    const bad = await servers.keep(await serve((_request, response) => void fault(response)));
    const good = await servers.replay();
    const { final, chunks } = await finish(put([bad.url, good.url]));
    expect(final).toMatchObject({ state: 'DONE', instance: { index: 2 }, error: null });
    expect(final.attempts).toEqual([
      { instance: 1, error: expect.objectContaining({ code, message: expect.stringContaining('model instance 1') }) },
    ]);
    expect(chunks).toHaveLength(PIECES);
  });

  test('where the first takes the request and says nothing, after the time-out for one attempt', async () => {
    const silent = await servers.driven();
    const good = await servers.replay();
    const { final } = await finish(put([silent.url, good.url], { attemptTimeout: '100ms' }));
    expect(final).toMatchObject({ state: 'DONE', instance: { index: 2 } });
    expect(final.attempts[0]?.error).toMatchObject({
      code: 'BACKEND_TIMEOUT',
      message: 'model instance 1 took the request and said nothing within 0.1 s',
    });
    // It is told to stop, too.
    await closed(await silent.next());
  });

  test('as often as the service allows, and no more', async () => {
    const bad = await Promise.all(
      [1, 2, 3].map(async () => servers.keep(await serve((_, response) => void response.writeHead(500).end()))),
    );
    const { final } = await finish(
      put(
        bad.map(({ url }) => url),
        { retries: 1 },
      ),
    );
    expect(final).toMatchObject({ state: 'FAILED', error: { code: 'BACKEND_FAILED' } });
    expect(final.attempts).toHaveLength(1);
    const none = await finish(
      put(
        bad.map(({ url }) => url),
        { retries: 0 },
      ),
    );
    expect(none.final.attempts).toEqual([]);
  });

  test('never once a word has been passed on, nor for a request that is wrong', async () => {
    const cut = await servers.keep(
      await serve((_, response) => {
        beginStream(response)(STREAM.subarray(0, STREAM.length >> 1));
        response.end();
      }),
    );
    const good = await servers.replay();
    const { final } = await finish(put([cut.url, good.url]));
    expect(final).toMatchObject({
      state: 'FAILED',
      error: {
        code: 'STREAM_CUT',
        message: expect.stringContaining('model instance 1'),
        ids: { instance: expect.any(String) },
      },
      attempts: [],
    });
    expect(final.text).not.toBe('');
    const wrong = await servers.keep(
      await serve((_, response) => void response.writeHead(400).end('{"error":{"message":"no"}}')),
    );
    const refused = await finish(put([wrong.url, good.url]));
    expect(refused.final).toMatchObject({ state: 'FAILED', error: { code: 'REQUEST_REFUSED' }, attempts: [] });
  });

  test('not where the answer may have done something already; and only the one that was named', async () => {
    const bad = await servers.keep(await serve((_, response) => void response.writeHead(500).end()));
    const good = await servers.keep(
      await serve((_, response) => void response.setHeader('content-type', 'application/json').end('{"n":1}')),
    );
    const service = put([bad.url, good.url], {}, { api: 'rest', model: null });
    const once = await finish(service, { op: 'rest', path: '/book' });
    expect(once.final).toMatchObject({ state: 'FAILED', error: { code: 'BACKEND_FAILED' }, attempts: [] });
    const again = await finish(service, { op: 'rest', method: 'GET', path: '/book' });
    expect(again.final).toMatchObject({ state: 'DONE', value: { status: 200, body: { n: 1 } } });
    const named = await finish(service, { op: 'rest', method: 'GET', path: '/book' }, { instance: 1 });
    expect(named.final).toMatchObject({ state: 'FAILED', attempts: [] });
  });
});

describe('hedging', () => {
  test('a second instance is asked beside a silent one; the first to speak answers, the other is stopped', async () => {
    const silent = await servers.driven();
    const good = await servers.replay();
    const service = put([silent.url, good.url], { hedgeAfter: '50ms' });
    const { final, chunks } = await finish(service);
    expect(final).toMatchObject({ state: 'DONE', instance: { index: 2 }, attempts: [] });
    expect(chunks).toHaveLength(PIECES);
    await closed(await silent.next());
    await expect.poll(() => outstanding(service), { timeout: 20_000 }).toBe(0);
  });

  test('a slow one that speaks first keeps its answer', async () => {
    const [one, two] = [await servers.driven(), await servers.driven()];
    const service = put([one.url, two.url], { hedgeAfter: '50ms' });
    const asked = await answer(service);
    const first = beginStream(await one.next());
    const second = await two.next();
    first(STREAM);
    await closed(second);
    const { final, chunks } = await followAll(parts, asked.id);
    expect(final).toMatchObject({ state: 'DONE', instance: { index: 1 } });
    expect(chunks).toHaveLength(PIECES);
    await expect.poll(() => outstanding(service), { timeout: 20_000 }).toBe(0);
  });
});

test('a time-out says which instance had what', async () => {
  const silent = await servers.driven();
  const { final } = await finish(put([silent.url], { retries: 0 }), CHAT, { timeout: '200ms' });
  expect(final.error).toMatchObject({
    code: 'TIMEOUT',
    message: 'the answer was not complete within 0.2 s: model took the request and said nothing',
    ids: { instance: expect.any(String) },
  });
});

describe('requests that are not chats', () => {
  test('vectors are a value, kept and found again after a restart, and left out of the lists', async () => {
    const reply = JSON.stringify({
      model: 'm',
      data: [
        { index: 1, embedding: [3, 4] },
        { index: 0, embedding: [1, 2] },
      ],
    });
    const server = await servers.keep(
      await serve((_, response) => void response.setHeader('content-type', 'application/json').end(reply)),
    );
    const { final } = await finish(put([server.url]), { op: 'embed', input: ['low dose', 'high dose'] }, { seed: 3 });
    expect(final).toMatchObject({
      state: 'DONE',
      value: [
        [1, 2],
        [3, 4],
      ],
      model: 'm',
      options: { seed: 3 },
      chunks: 0,
    });
    expect(parts.picture.get('answer', final.id)).toMatchObject({ value: null });
    await parts.close();
    parts = await openAnswers(scratch.path, 2);
    expect(parts.answers.get(final.id).value).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('pieces that are not text are kept and followed like text', async () => {
    const body = '{"n":1}\n{"n":2}\n';
    const server = await servers.keep(
      await serve((_, response) => void response.setHeader('content-type', 'application/x-ndjson').end(body)),
    );
    const { final, chunks } = await finish(put([server.url], {}, { api: 'rest', model: null }), {
      op: 'rest',
      path: '/s',
    });
    expect(chunks).toMatchObject([
      { text: '', data: { n: 1 } },
      { text: '', data: { n: 2 } },
    ]);
    expect(final).toMatchObject({ state: 'DONE', chunks: 2, value: null });
    await parts.close();
    parts = await openAnswers(scratch.path, 2);
    expect((await followAll(parts, final.id)).chunks).toMatchObject([{ data: { n: 1 } }, { data: { n: 2 } }]);
  });

  test('what a service does not take is refused before anything is written down', async () => {
    await expect(
      answer(put(['http://127.0.0.1:9']), {
        op: 'infer',
        inputs: [{ name: 'x', shape: [], datatype: 'FP32', data: [1] }],
      }),
    ).rejects.toMatchObject({
      code: 'UNSUPPORTED_REQUEST',
      hint: expect.stringContaining('chat'),
    });
    expect(parts.answers.list(true)).toEqual([]);
  });

  test('an image by path goes to the gateway of the pilot, for the instance that was chosen', async () => {
    const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
    const gateway = createServer((request, response) => {
      let body = '';
      request.on('data', (data) => {
        body += data;
      });
      request.once('end', () => {
        seen.push({ headers: request.headers, body });
        response.writeHead(200, { 'content-type': 'text/event-stream' }).end(STREAM);
      });
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const address = gateway.address();
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
    const keyFile = join(scratch.path, 'gateway.key');
    writeFileSync(keyFile, 'the-key-of-the-gateway\n');
    const pilot = parts.picture.put('pilot', testPilot({ gateway: { url, keyFile } }));
    const direct = await servers.driven();
    const service = put([direct.url], {}, { pilot: pilot.id, name: 'seer' });
    const content = [{ text: 'What?' }, { image: 'data/A01.png' }];
    const { final } = await finish(service, { op: 'chat', messages: [{ role: 'user', content }] });
    expect(final).toMatchObject({ state: 'DONE', instance: { index: 1 }, model: 'smollm2' });
    expect(seen[0]?.headers).toMatchObject({
      authorization: 'Bearer the-key-of-the-gateway',
      'x-pilothouse-instance': '1',
    });
    expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({
      model: 'seer',
      messages: [
        {
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_path', image_path: { path: 'data/A01.png' } },
          ],
        },
      ],
    });
    gateway.closeAllConnections();
    await new Promise((resolve) => gateway.close(resolve));
  });

  test('an image by path needs a pilot to read it', async () => {
    const server = await servers.replay();
    const image: ServiceRequestInput = {
      op: 'chat',
      messages: [{ role: 'user', content: [{ text: 'What?' }, { image: 'data/A01.png' }] }],
    };
    const { final } = await finish(put([server.url]), image);
    expect(final.error).toMatchObject({ code: 'UNSUPPORTED_REQUEST', hint: expect.stringContaining('pilot') });
  });
});

test('history is searched in question and answer, newest first', async () => {
  const service = put([(await servers.replay()).url]);
  const first = (await finish(service, { op: 'chat', messages: [{ role: 'user', content: 'Say "naïve"\nplease' }] }))
    .final;
  const second = (await finish(service)).final;
  const found = (text: string, more: object = {}) => {
    const { answers, total } = parts.answers.search({ text, skip: 0, limit: 50, ...more });
    return { ids: answers.map(({ id }) => id), total };
  };
  expect(found('')).toEqual({ ids: [second.id, first.id], total: 2 });
  expect(found('"NAÏVE"\nplease')).toEqual({ ids: [first.id], total: 1 });
  expect(found((second.text ?? '').slice(5, 30)).total).toBe(2);
  expect(found('', { states: ['FAILED'] }).total).toBe(0);
  expect(found('', { service: service.name, skip: 1 })).toEqual({ ids: [first.id], total: 2 });
  expect(found('no such words')).toEqual({ ids: [], total: 0 });
});

test('sampling and revision are recorded with the answer', async () => {
  const revised = Buffer.from(
    recorded('llama-server-answer.sse')
      .toString()
      .replaceAll('"choices"', '"system_fingerprint":"b1-7e4c0a9","choices"'),
  );
  const server = await servers.replay(revised);
  const options = { maxTokens: 60, temperature: 0.3, topP: 0.9, seed: 11, stop: ['END'], extra: { top_k: 40 } };
  const { final } = await finish(put([server.url]), CHAT, options);
  expect(final).toMatchObject({ model: 'smollm2', revision: expect.stringMatching(/./), options });
  await until(parts, () => parts.picture.get('answer', final.id)?.state === 'DONE', 'the end');
});
