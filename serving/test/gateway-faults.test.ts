import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { answerJson, backend, chat, closeAll, delta, EVENTS, errorOf, gateway, until } from './support/gateway-rig.js';

const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await closeAll();
});

const good = () => backend((_request, response) => answerJson(response, 'good'));

/** An address where nothing listens. */
async function nowhere(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

describe('a faulty instance', () => {
  const faults: readonly [string, () => Promise<{ url: string }>, number, string][] = [
    ['accepts and never answers', () => backend(() => undefined), 504, 'llm instance 1 sent nothing within 0.3 s'],
    [
      'answers 200 with an empty body',
      () => backend((_request, response) => void response.end()),
      502,
      'llm instance 1 answered 200 with an empty body',
    ],
    [
      'says 503 while it loads',
      () =>
        backend((_request, response) => {
          response.writeHead(503, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ error: { message: 'Loading model' } }));
        }),
      502,
      'llm instance 1 answered 503 (Loading model)',
    ],
    [
      'dies before it answers',
      () => backend((request) => void request.socket.destroy()),
      502,
      'closed the connection before it answered',
    ],
    [
      'dies in the middle of a plain answer',
      () =>
        backend((request, response) => {
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
          response.write('{"choices":', () => request.socket.destroy());
        }),
      502,
      'closed the connection in the middle of its answer',
    ],
    [
      'refuses its key',
      () =>
        backend((_request, response) => {
          response.writeHead(401).end('{"error":"bad key"}');
        }),
      502,
      'llm instance 1 refused its key with 401 (bad key)',
    ],
    ['does not listen', async () => ({ url: await nowhere() }), 502, 'cannot be reached: nothing listens there'],
  ];
  for (const [what, make, status, text] of faults) {
    it(`that ${what} is made up for by another, else named with the cause`, async () => {
      const [bad, other] = await Promise.all([make(), good()]);
      const routing = { policy: 'round-robin', attemptTimeout: '300ms' } as const;
      const { url, routes } = await gateway([
        { urls: [bad.url, other.url], routing },
        { name: 'alone', urls: [bad.url], routing },
      ]);
      const made = await chat(url);
      expect([made.status, made.headers.get('x-pilothouse-instance')]).toEqual([200, '2']);
      const [got, error] = await errorOf(await chat(url, { model: 'alone' }));
      expect(got).toBe(status);
      expect(error.message).toContain(text.replace('llm instance', 'alone instance'));
      expect(error.message).toContain('alone instance 1');
      expect(routes.get('llm')?.balancer.outstanding).toBe(0);
      expect(routes.get('alone')?.balancer.outstanding).toBe(0);
    });
  }

  it('that dies in the middle of a stream ends it with an error that clients throw', async () => {
    const dying = await backend((request, response) => {
      response.writeHead(200, EVENTS);
      response.write(delta('so far'), () => request.socket.destroy());
    });
    const quiet = await backend((_request, response) => {
      response.writeHead(200, EVENTS);
      response.end(delta('and no more'));
    });
    const { url } = await gateway([{ urls: [dying.url] }, { name: 'quiet', urls: [quiet.url] }]);
    const cut = await (await chat(url, { stream: true })).text();
    expect(cut).toContain('so far');
    expect(cut).toMatch(/data: \{"error":.*llm instance 1 .*middle of its answer.*"stream_cut"/);
    const ended = await (await chat(url, { stream: true, model: 'quiet' })).text();
    expect(ended).toMatch(/and no more.*data: \{"error":.*quiet instance 1 ended its stream before/s);
  });

  it('is left out after failures in a row, and comes back', async () => {
    let broken = true;
    const bad = await backend((_request, response) => {
      if (broken) response.writeHead(503).end('down');
      else answerJson(response, 'back');
    });
    const fine = await good();
    const { url, routes } = await gateway([
      { urls: [bad.url, fine.url], routing: { policy: 'round-robin', ejectAfter: 2 } },
    ]);
    for (let round = 0; round < 10; round += 1) expect((await chat(url)).status).toBe(200);
    expect(bad.seen).toHaveLength(2);
    expect(routes.get('llm')?.balancer.loadOf('llm.1')).toMatchObject({
      ejectedUntil: expect.any(String),
      why: expect.stringContaining('answered 503'),
    });
    broken = false;
    await until(() => routes.get('llm')?.balancer.loadOf('llm.1')?.ejectedUntil === null, 'its time is over');
    const by = await Promise.all(
      Array.from({ length: 8 }, async () => (await chat(url)).headers.get('x-pilothouse-instance')),
    );
    expect(by).toContain('1');
  });
});

describe('load', () => {
  it('beyond the queue is refused with 503 and a time to come again; memory stays bounded', async () => {
    const held: (() => void)[] = [];
    const server = await backend((_request, response) => void held.push(() => answerJson(response, 'late')));
    const { url, routes } = await gateway([{ urls: [server.url], routing: { concurrency: 100, queue: 2000 } }]);
    const balancer = routes.get('llm')?.balancer;
    const before = process.memoryUsage().rss;
    const waiting = Array.from({ length: 2100 }, () => bareChat(url));
    await until(() => balancer?.queued === 2000, '2,000 clients wait');
    const [status, error] = await errorOf(await chat(url));
    expect([status, error.code]).toEqual([503, 'queue_full']);
    const refused = await chat(url);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    // Both ends of 2,000 connections live in this process; a request that waits may cost some tens of KiB.
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
    let answered = 0;
    for (const one of waiting) void one.then(() => answered++);
    await until(() => {
      for (const answer of held.splice(0)) answer();
      return answered === 2100;
    }, 'all are answered');
    expect(balancer?.queued).toBe(0);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['HTTP/1.1 200 OK']));
  });

  it('of 64 streams: those of a killed instance end with an error that names it, all others are whole', async () => {
    const [doomed, ...others] = await Promise.all([1, 2, 3].map(streamer));
    const urls = [doomed, ...others].flatMap((one) => (one === undefined ? [] : [one.url]));
    const { url } = await gateway([{ urls }]);
    const begun = Promise.withResolvers<void>();
    let started = 0;
    const streams = Array.from({ length: 64 }, async () => {
      const response = await chat(url, { stream: true });
      started += 1;
      if (started === 64) begun.resolve();
      return { by: response.headers.get('x-pilothouse-instance'), text: await response.text() };
    });
    await begun.promise;
    doomed?.child.kill('SIGKILL');
    for (const one of others) one.child.stdin?.write('finish\n');
    for (const { by, text } of await Promise.all(streams)) {
      if (by === '1') expect(text).toMatch(/data: \{"error":.*llm instance 1 .*closed the connection.*stream_cut/);
      else expect(text).toMatch(/\[DONE\]\n\n$/);
    }
  });

  it('goes away from slow instances', async () => {
    const counts = [0, 0, 0, 0];
    const urls = await Promise.all(
      counts.map(async (_, at) => {
        const { url } = await backend((_request, response) => {
          counts[at] = (counts[at] ?? 0) + 1;
          setTimeout(() => answerJson(response, 'done'), at === 0 ? 100 : 10);
        });
        return url;
      }),
    );
    const { url } = await gateway([{ urls }]);
    const clients = Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 15; round += 1) await chat(url);
    });
    await Promise.all(clients);
    const [slow = 0, ...quick] = counts;
    expect(slow).toBeLessThan(Math.min(...quick));
  });
});

/** Asks with as little as can be, since thousands do so in one process; gives the first line of the answer. */
async function bareChat(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const body = JSON.stringify({ model: 'llm', messages: [] });
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  let text = '';
  for await (const part of socket) text += part;
  return text.slice(0, text.indexOf('\r\n'));
}

/** A process that streams until it is told to finish. */
async function streamer(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const program = `
    const open = new Set();
    const server = require('node:http').createServer((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(${JSON.stringify(delta('a'))});
      open.add(response);
    });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    process.stdin.on('data', () => {
      for (const response of open) response.end(${JSON.stringify(`${delta('b', 'stop')}data: [DONE]\n\n`)});
    });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [port] = await once(child.stdout, 'data');
  return { child, url: `http://127.0.0.1:${String(port).trim()}` };
}
