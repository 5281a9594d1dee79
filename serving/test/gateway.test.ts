import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { answerJson, backend, chat, closeAll, delta, EVENTS, errorOf, gateway, until } from './support/gateway-rig.js';

afterEach(closeAll);

describe('gateway', () => {
  it('routes by the name of the service, and names the model as the server knows it', async () => {
    const one = await backend((_request, response) => answerJson(response, 'from one'));
    const two = await backend((_request, response) => answerJson(response, 'from two'));
    const { url } = await gateway([
      { name: 'one', urls: [one.url], model: '/weights/one.gguf' },
      { name: 'two', urls: [two.url], model: null },
    ]);
    const first = await chat(url, { model: 'one', note: 'a "model": "decoy"' });
    expect(await first.json()).toEqual({ choices: [{ message: { role: 'assistant', content: 'from one' } }] });
    expect(one.seen[0]?.body).toMatchObject({ model: '/weights/one.gguf', note: 'a "model": "decoy"' });
    await chat(url, { model: 'two' });
    expect(two.seen[0]).toMatchObject({ url: '/v1/chat/completions', body: { model: 'first-listed' } });
    const models = await (await fetch(`${url}/v1/models`)).json();
    expect(models).toMatchObject({ object: 'list', data: [{ id: 'one', object: 'model' }, { id: 'two' }] });
    expect(await (await fetch(`${url}/v1/models/two`)).json()).toMatchObject({ id: 'two' });
  });

  it('says what is wrong with a request in the form of OpenAI', async () => {
    const { url } = await gateway([{ urls: [] }, { name: 'tensors', api: 'open-inference', urls: [] }]);
    expect(await errorOf(await chat(url, { model: 'gone' }))).toMatchObject([
      404,
      {
        type: 'invalid_request_error',
        code: 'model_not_found',
        param: 'model',
        message: expect.stringContaining('llm'),
      },
    ]);
    expect(await errorOf(await chat(url, { model: undefined }))).toMatchObject([400, { param: 'model' }]);
    expect(await errorOf(await chat(url, { model: 'tensors' }))).toMatchObject([400, { code: 'unsupported_request' }]);
    const text = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{"model": ' });
    expect(await errorOf(text)).toMatchObject([400, { message: expect.stringContaining('not a JSON object') }]);
    expect(await errorOf(await fetch(`${url}/v1/nothing`))).toMatchObject([404, {}]);
  });

  it('passes each piece of a stream on when it comes, and the end of the client to the server', async () => {
    let next: (text: string) => void = () => undefined;
    let closed = false;
    const server = await backend((_request, response) => {
      response.writeHead(200, EVENTS);
      next = (text) => response.write(text);
      next(delta('one'));
      response.once('close', () => {
        closed = true;
      });
    });
    const { url } = await gateway([{ urls: [server.url] }]);
    const control = new AbortController();
    const response = await chat(url, { stream: true }, { signal: control.signal });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = response.body?.getReader();
    const read = async () => new TextDecoder().decode((await reader?.read())?.value);
    // Each is sent only when the one before has arrived: nothing waits for more.
    expect(await read()).toBe(delta('one'));
    next(delta('two'));
    expect(await read()).toBe(delta('two'));
    control.abort();
    await until(() => closed, 'the server sees that the client is gone');
  });

  it('lets nobody in without a key, and nothing of it out', async () => {
    const server = await backend((_request, response) => answerJson(response, 'hi'));
    const { url } = await gateway([{ urls: [server.url] }, { name: 'other', urls: [server.url] }], {
      authorize: ({ authorization }) =>
        authorization === 'Bearer right' ? { allows: ({ name }) => name === 'llm' } : undefined,
    });
    const refused = await chat(url);
    expect(await errorOf(refused)).toMatchObject([401, { code: 'invalid_api_key' }]);
    const headers = { authorization: 'Bearer right', cookie: 'secret=1' };
    expect((await chat(url, {}, { headers })).status).toBe(200);
    expect((await chat(url, { model: 'other' }, { headers })).status).toBe(404);
    expect(await (await fetch(`${url}/v1/models`, { headers })).json()).toMatchObject({ data: [{ id: 'llm' }] });
    await fetch(`${url}/services/llm/any/thing?x=1`, { headers });
    expect(server.seen.map((seen) => seen.url)).toEqual(['/v1/chat/completions', '/any/thing?x=1']);
    expect(JSON.stringify(server.seen)).not.toMatch(/right|secret/);
  });

  it('keeps requests of a caller with one instance where the policy says so', async () => {
    const servers = await Promise.all([1, 2, 3].map(() => backend((_request, response) => answerJson(response, 'hi'))));
    const { url } = await gateway([{ urls: servers.map((one) => one.url), routing: { policy: 'session-affinity' } }]);
    const instances = async (more: object, headers: Record<string, string> = {}) => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => chat(url, more, { headers })));
      return new Set(answers.map((answer) => answer.headers.get('x-pilothouse-instance')));
    };
    expect(await instances({ user: 'ada' })).toHaveLength(1);
    expect(await instances({}, { 'x-pilothouse-session': 'grace' })).toHaveLength(1);
    expect(await instances({}, { 'x-pilothouse-instance': '2' })).toEqual(new Set(['2']));
  });

  it('asks a second instance beside a silent one, and stops the slower', async () => {
    let stopped = false;
    const silent = await backend((_request, response) => {
      response.once('close', () => {
        stopped = true;
      });
    });
    const quick = await backend((_request, response) => answerJson(response, 'quick'));
    const { url, routes } = await gateway([
      { urls: [silent.url, quick.url], routing: { policy: 'round-robin', hedgeAfter: '50ms' } },
    ]);
    const answer = await chat(url);
    expect(answer.headers.get('x-pilothouse-instance')).toBe('2');
    await until(() => stopped, 'the slower instance is stopped');
    expect(routes.get('llm')?.balancer.outstanding).toBe(0);
  });

  it('reads images beside the service, and only from its folders', async () => {
    const root = await mkdtemp(join(tmpdir(), 'ph-images-'));
    try {
      const png = Buffer.from('\x89PNG\r\n\x1a\n more', 'latin1');
      await mkdir(join(root, 'data'));
      await writeFile(join(root, 'data', 'cell.png'), png);
      await writeFile(join(root, 'data', 'cell.tiff'), 'II*');
      await writeFile(join(root, 'outside.png'), png);
      await symlink(join(root, 'outside.png'), join(root, 'data', 'link.png'));
      const server = await backend((_request, response) => answerJson(response, 'a cell'));
      const folders = [join(root, 'data')];
      const { url } = await gateway([{ urls: [server.url] }], { imageFolders: () => folders });
      const ask = (path: string) =>
        chat(url, {
          messages: [
            {
              role: 'user',
              content: [
                { type: 'text', text: 'what?' },
                { type: 'image_path', image_path: { path } },
              ],
            },
          ],
        });
      expect((await ask('cell.png')).status).toBe(200);
      expect(server.seen[0]?.body).toMatchObject({
        model: 'weights',
        messages: [
          {
            content: [
              { type: 'text' },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${png.toString('base64')}` } },
            ],
          },
        ],
      });
      const code = async (path: string) => (await errorOf(await ask(path)))[1].code;
      expect(await code(join(root, 'data', 'cell.tiff'))).toBe('unsupported_format');
      expect(await code('../outside.png')).toBe('unsafe_path');
      expect(await code('link.png')).toBe('unsafe_path');
      expect(await code('none.png')).toBe('data_not_found');
      expect(server.seen).toHaveLength(1);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
