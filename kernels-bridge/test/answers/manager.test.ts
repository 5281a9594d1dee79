import { newId, type ServiceRecord } from '@pilothouse/sdk/internal';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ask,
  beginStream,
  events,
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

function put(...urls: string[]): ServiceRecord {
  return parts.picture.put('service', serviceAt(urls));
}

describe('an answer', () => {
  test('runs, is kept with its text, and says where its time went', async () => {
    const service = put((await servers.replay()).url);
    const asked = await ask(parts, service);
    expect(asked).toMatchObject({ state: 'QUEUED', owner: 'test.ipynb', service: { name: 'model' } });
    const { chunks, final } = await followAll(parts, asked.id);
    expect(chunks).toHaveLength(PIECES);
    expect(final).toMatchObject({
      state: 'DONE',
      finishReason: 'length',
      usage: { completionTokens: 60 },
      chunks: PIECES,
      text: chunks.map(({ text }) => text).join(''),
      instance: { index: 1 },
      error: null,
    });
    const { timing } = final;
    if (timing === null) throw new Error('no timing');
    const sum = timing.communication + timing.queue + timing.service + (timing.inference ?? 0);
    expect(sum).toBeCloseTo(timing.total, 6);
    for (const part of [timing.communication, timing.queue, timing.service, timing.inference]) {
      expect(part).toBeGreaterThanOrEqual(0);
    }
    expect(timing.ttft).toBeLessThanOrEqual(timing.total);
    expect(parts.answers.get(asked.id).text).toBe(final.text);
    const listed = parts.picture.get('answer', asked.id);
    expect(listed).toMatchObject({ state: 'DONE', text: null, chunks: PIECES, seq: final.seq });
    expect(final.seq).toBeGreaterThan(asked.seq);
    expect(Object.keys(final.times)).toEqual(['NEW', 'QUEUED', 'STREAMING', 'DONE']);
  });

  test('is the same one when its question is repeated, also at once', async () => {
    const server = await servers.replay();
    const service = put(server.url);
    const question = {
      service: service.name,
      request: { op: 'chat' as const, messages: [{ role: 'user' as const, content: 'hi' }] },
      options: {},
      origin: ORIGIN,
    };
    const key = newId('key');
    const [first, second] = await Promise.all([
      parts.answers.ask({ ...question, key }),
      parts.answers.ask({ ...question, key }),
    ]);
    expect(second.id).toBe(first.id);
    await followAll(parts, first.id);
    expect((await parts.answers.ask({ ...question, key })).id).toBe(first.id);
    expect(parts.answers.list(true)).toHaveLength(1);
  });

  test('tokens reach a follower one by one, as they are read', async () => {
    const server = await servers.driven();
    const asked = await ask(parts, put(server.url));
    const source = parts.answers.follow(asked.id, 0);
    const signal = AbortSignal.timeout(20_000);
    const send = beginStream(await server.next());
    let seen = 0;
    for (const event of events(STREAM).slice(0, 10)) {
      send(event);
      const adds = event.toString().includes('"content":"') ? 1 : 0;
      for (let goal = seen + adds; seen < goal; ) {
        const batch = await source.next(signal);
        seen += batch?.chunks.length ?? 0;
        if (batch?.chunks[0] !== undefined) expect(batch.readAt).toBeGreaterThan(0);
      }
    }
    expect(seen).toBe(9);
    source.close();
    await parts.answers.stop(asked.id);
  });

  test('followers that come and go lose and double nothing', async () => {
    const service = put((await servers.replay()).url);
    const asked = await ask(parts, service);
    const whole = (await followAll(parts, asked.id)).chunks.map(({ text }) => text);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(PIECES), { maxLength: 5 }), async (stops) => {
        const got: string[] = [];
        for (const stop of [...stops, PIECES]) {
          const source = parts.answers.follow(asked.id, got.length);
          while (got.length < Math.min(stop, PIECES)) {
            const batch = await source.next(AbortSignal.timeout(5_000));
            if (batch === null) break;
            expect(batch.from).toBe(got.length);
            got.push(...batch.chunks.slice(0, 1 + (stop % 7)).map(({ text }) => text));
            // A client that consumed less than a batch goes on from what it consumed.
            break;
          }
          source.close();
        }
        while (got.length < PIECES) {
          const source = parts.answers.follow(asked.id, got.length);
          const batch = await source.next(AbortSignal.timeout(5_000));
          got.push(...(batch?.chunks ?? []).map(({ text }) => text));
          source.close();
        }
        expect(got).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });
});

describe('waiting', () => {
  test('for a service that is not ready, with the reason; then it is asked', async () => {
    const server = await servers.replay();
    const record = serviceAt([server.url]);
    const [instance] = record.instances;
    if (instance === undefined) throw new Error('no instance');
    const since = record.since;
    parts.picture.put('service', {
      ...record,
      state: 'STARTING',
      reason: { code: 'INITIALIZING', text: 'loading the model', since },
      instances: [{ ...instance, state: 'INITIALIZING' }],
    });
    const asked = await ask(parts, record);
    await until(parts, () => parts.picture.get('answer', asked.id)?.reason != null, 'a reason');
    expect(parts.picture.get('answer', asked.id)).toMatchObject({
      state: 'QUEUED',
      reason: { code: 'WAITS_FOR_SERVICE', text: 'waits for model to be ready: loading the model' },
    });
    parts.picture.put('service', record);
    const { final } = await followAll(parts, asked.id);
    expect(final).toMatchObject({ state: 'DONE', reason: null });
  });

  test('for a place, in order; each instance takes its share', async () => {
    await parts.close();
    parts = await openAnswers(scratch.path, 2, 1);
    const [a, b] = [await servers.driven(), await servers.driven()];
    const service = put(a.url, b.url);
    const asked = [await ask(parts, service), await ask(parts, service), await ask(parts, service)];
    const first = await a.next();
    await b.next();
    const third = asked[2]?.id ?? '';
    await until(
      parts,
      () => parts.picture.get('answer', third)?.reason?.code === 'WAITS_FOR_PLACE',
      'waiting for a place',
    );
    expect(parts.picture.get('answer', third)?.reason?.text).toBe('waits for model; 2 of 2 places taken');
    beginStream(first)(STREAM);
    first.end();
    beginStream(await a.next());
    await until(parts, () => parts.picture.get('answer', third)?.state === 'STREAMING', 'its turn');
    await Promise.all(asked.map(({ id }) => parts.answers.stop(id)));
  });

  test('ends when the service ends, and when it is stopped', async () => {
    const record = serviceAt(['http://127.0.0.1:9']);
    parts.picture.put('service', { ...record, state: 'STARTING', instances: [] });
    const [one, two] = [await ask(parts, record), await ask(parts, record)];
    expect(await parts.answers.stop(one.id)).toMatchObject({ state: 'CANCELED', error: null });
    parts.picture.put('service', { ...record, state: 'FAILED', instances: [] });
    const { final } = await followAll(parts, two.id);
    expect(final).toMatchObject({ state: 'FAILED', error: { code: 'SERVICE_FAILED', ids: { service: record.id } } });
    await expect(ask(parts, record)).rejects.toMatchObject({ code: 'SERVICE_FAILED' });
  });

  test('too many are refused, the others stay', async () => {
    const record = serviceAt([]);
    parts.picture.put('service', { ...record, state: 'STARTING' });
    const asked = await Promise.all(Array.from({ length: 257 }, () => ask(parts, record)));
    const states = () => asked.map(({ id }) => parts.picture.get('answer', id)?.error?.code ?? 'waits');
    await until(parts, () => states().filter((state) => state === 'QUEUE_FULL').length === 1, 'one refusal');
    expect(states().filter((state) => state === 'waits')).toHaveLength(256);
    await Promise.all(asked.map(({ id }) => parts.answers.stop(id)));
  });

  test('no longer than the time-out', async () => {
    const server = await servers.driven();
    const asked = await ask(parts, put(server.url), { timeout: '200ms' });
    const response = await server.next();
    const { final } = await followAll(parts, asked.id);
    expect(final).toMatchObject({ state: 'FAILED', error: { code: 'TIMEOUT', retryable: true } });
    await closed(response);
  });
});

describe('failures', () => {
  test('a refused connection: another instance answers; none left says so', async () => {
    const server = await servers.replay();
    const gone = await serve(() => undefined);
    await gone.close();
    const both = put(gone.url, server.url);
    const asked = await Promise.all(Array.from({ length: 4 }, () => ask(parts, both)));
    for (const { id } of asked) expect((await followAll(parts, id)).final.state).toBe('DONE');
    const dead = parts.picture.put('service', serviceAt([gone.url], 'dead'));
    const { final } = await followAll(parts, (await ask(parts, dead)).id);
    expect(final).toMatchObject({ state: 'FAILED', error: { code: 'SERVICE_UNREACHABLE', retryable: true } });
    expect(final.error?.message).toContain(String(gone.port));
  });

  test('a stream that is cut keeps its text, and is not asked again', async () => {
    const server = await servers.driven();
    const asked = await ask(parts, put(server.url));
    const response = await server.next();
    beginStream(response)(Buffer.concat(events(STREAM).slice(0, 12)));
    await until(parts, () => (parts.picture.get('answer', asked.id)?.chunks ?? 0) > 5, 'some text');
    response.destroy();
    const { final, chunks } = await followAll(parts, asked.id);
    expect(final).toMatchObject({ state: 'FAILED', error: { code: 'STREAM_CUT' }, chunks: chunks.length });
    expect(final.text).toBe(chunks.map(({ text }) => text).join(''));
    expect(final.text).not.toBe('');
  });

  test('an error of the server is the answer’s, with remedy and ids', async () => {
    const server = await serve((_, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(recorded('llama-server-400-context.json'));
    });
    const { final } = await followAll(parts, (await ask(parts, put(server.url))).id);
    expect(final).toMatchObject({
      state: 'FAILED',
      text: '',
      error: { code: 'CONTEXT_EXCEEDED', ids: { answer: final.id } },
    });
    await server.close();
  });

  test('a stop closes the connection to the server', async () => {
    const server = await servers.driven();
    const asked = await ask(parts, put(server.url));
    const response = await server.next();
    beginStream(response)(Buffer.concat(events(STREAM).slice(0, 5)));
    await until(parts, () => parts.picture.get('answer', asked.id)?.state === 'STREAMING', 'streaming');
    const stopped = await parts.answers.stop(asked.id);
    expect(stopped).toMatchObject({ state: 'CANCELED' });
    await closed(response);
    expect(await parts.answers.stop(asked.id)).toEqual(stopped);
  });
});

test('an answer that is taken off the lists is gone, one under way is not', async () => {
  const server = await servers.driven();
  const service = put(server.url);
  const asked = await ask(parts, service);
  expect(() => parts.answers.forget(asked.id)).toThrow(expect.objectContaining({ code: 'INVALID_DESCRIPTION' }));
  await parts.answers.stop(asked.id);
  parts.answers.forget(asked.id);
  expect(() => parts.answers.get(asked.id)).toThrow(expect.objectContaining({ code: 'ANSWER_NOT_FOUND' }));
  expect(parts.picture.get('answer', asked.id)).toBeUndefined();
  expect(() => parts.answers.get('nothing')).toThrow(expect.objectContaining({ code: 'ANSWER_NOT_FOUND' }));
});

test('a service’s load is shown, and is back to nothing at the end', async () => {
  const server = await servers.driven();
  const service = put(server.url);
  const asked = [await ask(parts, service), await ask(parts, service)];
  await until(parts, () => parts.picture.get('service', service.id)?.load.outstanding === 2, 'two outstanding');
  for (const _ of asked) {
    const response = await server.next();
    beginStream(response)(STREAM);
    response.end();
  }
  await until(parts, () => parts.picture.get('service', service.id)?.load.recent.length === 2, 'two totals');
  expect(parts.picture.get('service', service.id)?.load).toMatchObject({
    outstanding: 0,
    queued: 0,
    p50: expect.any(Number),
  });
});
