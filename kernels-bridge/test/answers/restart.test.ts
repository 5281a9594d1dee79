import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId, type ServiceRecord } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ask,
  beginStream,
  events,
  followAll,
  ORIGIN,
  openAnswers,
  type Parts,
  scratchFolder,
  serviceAt,
  until,
} from './harness.js';
import { closed, Servers, STREAM } from './servers.js';

let scratch: ReturnType<typeof scratchFolder>;
let servers: Servers;
let parts: Parts;
let next: Parts | undefined;

beforeEach(async () => {
  scratch = scratchFolder();
  servers = new Servers();
  parts = await openAnswers(scratch.path);
});
afterEach(async () => {
  await next?.close();
  next = undefined;
  await parts.close();
  await servers.close();
  scratch.dispose();
});

function put(...urls: string[]): ServiceRecord {
  return parts.picture.put('service', serviceAt(urls));
}

describe('a bridge that was killed', () => {
  /** Opens the same state root once more, as the next bridge does; the first one just stops being used. */
  const restart = async () => {
    next = await openAnswers(scratch.path, 2);
    return next;
  };

  test('answers under way are over, with the text so far, and can be asked again', async () => {
    const server = await servers.driven();
    const service = put(server.url);
    const asked = await ask(parts, service);
    const send = beginStream(await server.next());
    for (const event of events(STREAM).slice(0, 21)) send(event);
    const file = join(scratch.path, 'calls', '1.jsonl');
    await until(parts, () => (parts.picture.get('answer', asked.id)?.chunks ?? 0) === 20, 'twenty chunks');
    await expect
      .poll(() => readFileSync(file, 'utf8').split('"text":').length - 1, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(20);
    const next = await restart();
    const { final, chunks } = await followAll(next, asked.id, 25);
    expect(chunks).toEqual([]);
    expect(final).toMatchObject({ state: 'FAILED', error: { code: 'BRIDGE_RESTARTED', retryable: true }, chunks: 20 });
    expect(final.text).toBe(parts.answers.get(asked.id).text);
    next.picture.put('service', service);
    const again = await next.answers.retry(asked.id, ORIGIN, newId('key'));
    expect(again).toMatchObject({ retryOf: asked.id, request: final.request });
    beginStream(await server.next())(STREAM);
    expect((await followAll(next, again.id)).final.state).toBe('DONE');
    await parts.answers.stop(asked.id);
  });

  test('told to end, it ends its answers with all of their text', async () => {
    const server = await servers.driven();
    const asked = await ask(parts, put(server.url));
    const response = await server.next();
    beginStream(response)(Buffer.concat(events(STREAM).slice(0, 31)));
    await until(parts, () => (parts.picture.get('answer', asked.id)?.chunks ?? 0) === 30, 'thirty chunks');
    await parts.close();
    await closed(response);
    parts = await openAnswers(scratch.path, 2);
    expect(parts.answers.get(asked.id)).toMatchObject({
      state: 'FAILED',
      error: { code: 'BRIDGE_RESTARTED' },
      chunks: 30,
    });
  });

  test('ended answers are there again, under the same key', async () => {
    const service = put((await servers.replay()).url);
    const key = newId('key');
    const question = {
      service: service.id,
      request: { op: 'chat' as const, messages: [{ role: 'user' as const, content: 'hi' }] },
      options: {},
      origin: ORIGIN,
      key,
    };
    const asked = await parts.answers.ask(question);
    const { final, chunks } = await followAll(parts, asked.id);
    const next = await restart();
    expect(next.answers.get(asked.id)).toEqual({ ...final, seq: expect.any(Number) });
    expect((await followAll(next, asked.id)).chunks).toEqual(chunks);
    expect((await next.answers.ask(question)).id).toBe(asked.id);
  });

  test('a torn last line is cut; a bad line elsewhere stops with file and line', async () => {
    const service = put((await servers.replay()).url);
    const asked = await ask(parts, service);
    await followAll(parts, asked.id);
    const [name] = readdirSync(join(scratch.path, 'calls'));
    const file = join(scratch.path, 'calls', name ?? '');
    appendFileSync(file, '{"seq":99,"type":"requ');
    const next = await restart();
    expect(next.answers.get(asked.id).state).toBe('DONE');
    appendFileSync(file, '\n');
    await expect(openAnswers(scratch.path, 3)).rejects.toMatchObject({
      code: 'LOG_DAMAGED',
      field: expect.stringMatching(/calls\/1\.jsonl:\d+$/),
    });
  });
});
