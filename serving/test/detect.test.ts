import { createServer } from 'node:net';
import { type AttachDescription, attachDescriptionSchema } from '@pilothouse/sdk/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkServer, createAdapters, detect, openAiCandidates } from '../src/index.js';
import { serve } from './support/http-server.js';
import { hasLlama, startLlama } from './support/llama.js';
import { freePorts, type Peer, startMlserver, startRuServer } from './support/peers.js';

const KEY = 'a-key-that-nobody-guesses';
const adapters = createAdapters();
afterAll(() => adapters.close());

const find = (description: AttachDescription, key: string | null = null) =>
  detect(adapters, attachDescriptionSchema.parse(description), key, AbortSignal.timeout(30_000));
const check = (description: AttachDescription, key: string | null = null) =>
  checkServer(adapters, attachDescriptionSchema.parse(description), key, AbortSignal.timeout(30_000));

describe.skipIf(!hasLlama)('an OpenAI server', () => {
  let llama: Peer;
  beforeAll(async () => {
    llama = await startLlama(KEY);
  }, 160_000);
  afterAll(() => llama?.stop());

  it('is found with its models, with and without /v1, and asks for its key', async () => {
    for (const url of [llama.url, `${llama.url}/`, `${llama.url}/v1`, `${llama.url}/v1/chat/completions`]) {
      expect(await find({ url, credential: 'mine' }, KEY)).toMatchObject({
        api: 'openai',
        base: `${llama.url}/v1`,
        models: ['smollm2'],
        asksForKey: true,
        evidence: expect.arrayContaining([`GET ${llama.url}/v1/models: lists 1 model`]),
        remedy: null,
      });
    }
    expect(await check({ url: llama.url }, KEY)).toMatchObject({
      api: 'openai',
      model: 'smollm2',
      open: false,
      methods: null,
    });
  });

  it('no key, a wrong key: the remedy is said, and the key is not', async () => {
    expect(await find({ url: llama.url })).toMatchObject({
      api: 'openai',
      asksForKey: true,
      remedy: expect.stringContaining('pilothouse credentials add'),
    });
    const wrong = await find({ url: llama.url, credential: 'old' }, 'a-wrong-key-4711');
    expect(wrong).toMatchObject({ asksForKey: true, remedy: 'Store the right key: pilothouse credentials add old' });
    expect(JSON.stringify(wrong)).not.toContain('4711');
    await expect(check({ url: llama.url, credential: 'old' }, 'a-wrong-key')).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    });
  });
});

describe('servers of others', () => {
  let [mlserver, ru]: [Peer | undefined, Peer | undefined] = [undefined, undefined];
  beforeAll(async () => {
    [mlserver, ru] = await Promise.all([startMlserver(), startRuServer()]);
  }, 160_000);
  afterAll(() => Promise.all([mlserver?.stop(), ru?.stop()]));

  it('Open Inference is found; one without a key is told, and attached where that is allowed', async () => {
    const url = mlserver?.url ?? '';
    expect(await find({ url })).toMatchObject({
      api: 'open-inference',
      base: url,
      models: ['doubler'],
      asksForKey: false,
      remedy: expect.stringContaining('allow a server without a key'),
    });
    expect(await find({ url: `${url}/v2`, allowUnauthenticated: true })).toMatchObject({
      api: 'open-inference',
      base: url,
      remedy: null,
    });
    await expect(check({ url })).rejects.toMatchObject({ code: 'UNAUTHENTICATED_SERVICE' });
    expect(await check({ url, allowUnauthenticated: true })).toMatchObject({ model: 'doubler', open: true });
  });

  it('ru.zmq is found by its greeting and its echo', async () => {
    const url = `tcp://127.0.0.1:${ru?.ports[0]}`;
    expect(await find({ url, allowUnauthenticated: true })).toMatchObject({
      api: 'ru-zmq',
      base: url,
      asksForKey: false,
      evidence: [`ZeroMQ greeting of ${url}: NULL`, `ru.zmq echo at ${url}: answers an echo`, 'answers without a key'],
      remedy: null,
    });
  });
});

describe('what is something else', () => {
  it('Ollama is told from servers that only list models like it', async () => {
    const tags = '{"models":[{"name":"m","digest":"d"}]}';
    const replies: Record<string, string> = { '/api/tags': tags, '/v1/models': '{"data":[{"id":"m"}]}' };
    const server = await serve((request, response) => {
      const reply = replies[request.url ?? ''];
      response.writeHead(reply === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(reply);
    });
    const description = { url: server.url, allowUnauthenticated: true };
    expect(await find(description)).toMatchObject({ api: 'openai', base: `${server.url}/v1`, remedy: null });
    replies['/api/version'] = '{"version":"0.13.0"}';
    expect(await find(description)).toMatchObject({ api: 'ollama', base: server.url, models: ['m'], remedy: null });
    expect(await find({ ...description, url: `${server.url}/v1` })).toMatchObject({ api: 'openai' });
    await server.close();
  });

  it('a web page answers HTTP and no known API: what was asked is shown', async () => {
    const server = await serve((_, response) => response.setHeader('content-type', 'text/html').end('<h1>Hello</h1>'));
    expect(await find({ url: server.url })).toMatchObject({
      api: 'rest',
      evidence: expect.arrayContaining([expect.stringContaining('/v1/models'), expect.stringContaining('/api/tags')]),
      remedy: expect.stringContaining('api "rest"'),
    });
    await expect(check({ url: server.url })).rejects.toMatchObject({ code: 'API_NOT_RECOGNISED', field: 'url' });
    expect(await check({ url: server.url, api: 'rest', allowUnauthenticated: true })).toMatchObject({
      api: 'rest',
      model: null,
    });
    await server.close();
  });

  it('nothing listens, and something that does not speak HTTP or ZeroMQ', async () => {
    const [port] = await freePorts(1);
    for (const url of [`http://127.0.0.1:${port}/v1`, `tcp://127.0.0.1:${port}`]) {
      expect(await find({ url })).toMatchObject({
        api: null,
        evidence: [expect.stringContaining('nothing listens there')],
        remedy: 'Check that it still runs and that its address is right.',
      });
    }
    const silent = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('220 mail ready\r\n'),
    );
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const at = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    expect(await find({ url: `http://${at}` })).toMatchObject({
      api: null,
      remedy: expect.stringContaining('Check the port'),
    });
    expect(await find({ url: `tcp://${at}` })).toMatchObject({ api: null, remedy: expect.stringContaining('http://') });
    await new Promise((resolve) => silent.close(resolve));
  });

  it('a URL that carries a secret is refused', async () => {
    for (const url of ['http://me:secret@127.0.0.1:1/v1', 'http://127.0.0.1:1/v1?key=secret']) {
      await expect(check({ url })).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'url' });
      expect(await find({ url })).toMatchObject({ api: null, remedy: expect.stringContaining('credentials add') });
    }
  });

  it('what a URL can mean', () => {
    expect(openAiCandidates('http://h:1/v1/')).toEqual(['http://h:1/v1']);
    expect(openAiCandidates('http://h:1/v1/chat/completions')).toEqual(['http://h:1/v1']);
    expect(openAiCandidates('http://h:1')).toEqual(['http://h:1/v1', 'http://h:1/']);
    expect(openAiCandidates('https://h/openai')).toEqual(['https://h/openai/v1', 'https://h/openai']);
    expect(openAiCandidates('https://h/openai/v1beta')).toEqual(['https://h/openai/v1beta']);
  });
});
