import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AttachDescription, attachDescriptionSchema, newId, type ServiceRecord } from '@pilothouse/sdk/internal';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { AttachedServices } from '../../src/managers/attached-services.js';
import { applyLog } from '../../src/picture/apply-log.js';
import { EventLog } from '../../src/store/event-log.js';
import { ask, followAll, ORIGIN, openAnswers, type Parts, scratchFolder, serve, serviceAt, until } from './harness.js';
import { freePort, LlamaServer, unavailable } from './llama-server.js';

const KEY = 'a-key-that-nobody-guesses';

describe.skipIf(unavailable !== null)('with the real llama-server', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let llama: LlamaServer;
  let home: ReturnType<typeof scratchFolder>;
  let parts: Parts;

  beforeAll(async () => {
    folder = scratchFolder();
    llama = await LlamaServer.start(folder.path, KEY);
  });
  afterAll(async () => {
    await llama.stop();
    folder.dispose();
  });
  beforeEach(async () => {
    home = scratchFolder();
    parts = await openAnswers(home.path);
  });
  afterEach(async () => {
    await parts.close();
    home.dispose();
  });

  function service(key = KEY): ServiceRecord {
    const keyFile = join(home.path, 'key');
    writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
    const record = serviceAt([llama.url]);
    const instances = record.instances.map((instance) => ({
      ...instance,
      endpoint: { url: llama.url, ports: {}, keyFile, serverKey: null },
    }));
    return parts.picture.put('service', { ...record, instances });
  }

  test('an answer streams, with the server’s own time', async () => {
    const asked = await ask(parts, service(), { maxTokens: 24 });
    const { final, chunks } = await followAll(parts, asked.id);
    expect(final).toMatchObject({
      state: 'DONE',
      finishReason: 'length',
      model: 'smollm2',
      usage: { completionTokens: 24 },
      text: chunks.map(({ text }) => text).join(''),
    });
    expect(final.timing?.inference).toBeGreaterThan(0);
    expect(final.timing?.tokensPerSecond).toBeGreaterThan(0);
  });

  test('stop frees the slot', async () => {
    const asked = await ask(parts, service(), { maxTokens: 900 });
    await until(parts, () => (parts.picture.get('answer', asked.id)?.chunks ?? 0) > 2, 'tokens');
    expect(await llama.busySlots()).toBe(1);
    const stopped = await parts.answers.stop(asked.id);
    await expect.poll(() => llama.busySlots(), { timeout: 10_000 }).toBe(0);
    expect(stopped).toMatchObject({ state: 'CANCELED', error: null });
    expect(stopped.text).not.toBe('');
  });

  test('a time-out frees the slot too', async () => {
    const asked = await ask(parts, service(), { maxTokens: 900, timeout: '500ms' });
    const { final } = await followAll(parts, asked.id);
    expect(final.error).toMatchObject({ code: 'TIMEOUT' });
    await expect.poll(() => llama.busySlots(), { timeout: 10_000 }).toBe(0);
  });

  test('a prompt over the context and a wrong key say so', async () => {
    const long = await parts.answers.ask({
      service: service().id,
      request: { op: 'chat', messages: [{ role: 'user', content: 'DNA '.repeat(2000) }] },
      options: {},
      origin: ORIGIN,
      key: newId('key'),
    });
    expect((await followAll(parts, long.id)).final.error).toMatchObject({
      code: 'CONTEXT_EXCEEDED',
      message: expect.stringMatching(/\d+ tokens.* takes 1024/),
    });
    const wrong = await ask(parts, service('wrong'));
    expect((await followAll(parts, wrong.id)).final.error).toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  });

  describe('attaching', () => {
    let attached: AttachedServices;
    let events: EventLog;

    beforeEach(() => {
      mkdirSync(join(home.path, 'log'));
      events = new EventLog(home.path, { epoch: 1, assertHeld: async () => {} }, systemClock, (record) =>
        applyLog(parts.picture, parts.keys, record),
      );
      const { picture, keys, names, logger: log, adapters, credentials } = parts;
      attached = new AttachedServices({ clock: systemClock, events, keys, log, names, picture }, adapters, credentials);
    });
    afterEach(async () => {
      attached.close();
      await events.close();
    });

    const attach = (description: AttachDescription, key = newId('key')) =>
      attached.attach(attachDescriptionSchema.parse(description), ORIGIN, key);

    test('with the right credential: ready, and it answers', async () => {
      await parts.credentials.put('mine', KEY);
      const key = newId('key');
      const record = await attach({ url: `${llama.url}/v1/`, credential: 'mine' }, key);
      expect(record).toMatchObject({
        name: 'smollm2',
        state: 'READY',
        origin: 'attached',
        model: 'smollm2',
        url: `${llama.url}/v1`,
        credential: 'mine',
        openToNode: false,
      });
      expect((await attach({ url: `${llama.url}/v1/`, credential: 'mine' }, key)).id).toBe(record.id);
      expect(JSON.stringify([...parts.picture.list('service')])).not.toContain(KEY);
      const asked = await ask(parts, record, { maxTokens: 4 });
      expect((await followAll(parts, asked.id)).final).toMatchObject({ state: 'DONE', service: { name: 'smollm2' } });
    });

    test('the base URL may lack /v1', async () => {
      await parts.credentials.put('mine', KEY);
      expect((await attach({ url: llama.url, credential: 'mine' })).url).toBe(`${llama.url}/v1`);
    });

    test('a URL with a secret in it is refused', async () => {
      for (const url of ['http://me:secret@127.0.0.1:1/v1', 'http://127.0.0.1:1/v1?key=secret']) {
        await expect(attach({ url })).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'url' });
      }
    });

    test('a wrong, a missing and no credential', async () => {
      await parts.credentials.put('old', 'wrong');
      await expect(attach({ url: llama.url, credential: 'old' })).rejects.toMatchObject({
        code: 'AUTHENTICATION_FAILED',
        message: expect.stringContaining('"old"'),
        hint: expect.stringContaining('pilothouse credentials add old'),
      });
      await expect(attach({ url: llama.url, credential: 'none' })).rejects.toMatchObject({
        code: 'CREDENTIAL_NOT_FOUND',
      });
      await expect(attach({ url: llama.url })).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
      expect(parts.picture.count('service')).toBe(0);
    });

    test('a server without a key only where that is allowed', async () => {
      const open = await LlamaServer.start(folder.path, null);
      try {
        await expect(attach({ url: open.url })).rejects.toMatchObject({
          code: 'UNAUTHENTICATED_SERVICE',
          field: 'allowUnauthenticated',
        });
        expect(await attach({ url: open.url, allowUnauthenticated: true })).toMatchObject({ openToNode: true });
      } finally {
        await open.stop();
      }
    });

    test('nothing there, and something else there', async () => {
      const port = await freePort();
      await expect(attach({ url: `http://127.0.0.1:${port}/v1` })).rejects.toMatchObject({
        code: 'SERVICE_UNREACHABLE',
        message: expect.stringContaining(`127.0.0.1:${port}`),
      });
      const pages = await serve((_, response) => response.setHeader('content-type', 'text/html').end('<h1>Hello</h1>'));
      await expect(attach({ url: pages.url })).rejects.toMatchObject({
        code: 'API_NOT_RECOGNISED',
        field: 'url',
        evidence: expect.stringContaining('text/html'),
      });
      await pages.close();
    });

    test('a server that goes away and comes back', async () => {
      const own = await LlamaServer.start(folder.path, KEY);
      try {
        await parts.credentials.put('mine', KEY);
        const { id } = await attach({ url: own.url, credential: 'mine' });
        await own.stop();
        await attached.probe(id);
        expect(parts.picture.get('service', id)).toMatchObject({
          state: 'UNAVAILABLE',
          instances: [{ state: 'UNHEALTHY', reason: { code: 'PROBE_FAILED' } }],
        });
        await own.start();
        await attached.probe(id);
        expect(parts.picture.get('service', id)).toMatchObject({ state: 'READY', reason: null });
      } finally {
        await own.stop();
      }
    });
  });
});
