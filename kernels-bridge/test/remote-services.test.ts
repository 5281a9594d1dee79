import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, eventually, newKey, origin, TestHome } from './support/bridge.js';

const KEY = 'a-key-that-only-the-server-knows';

let place: TestHome;
let client: Client;
let server: Server;
let url: string;

/** A server of somebody else: it lists one model, and answers whoever has the key. */
async function listen(port: number): Promise<void> {
  server = createServer((request, response) => {
    const known = request.headers.authorization === `Bearer ${KEY}`;
    request.resume().once('end', () => {
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
      const models = { object: 'list', data: [{ id: 'theirs', object: 'model' }] };
      const choices = [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }];
      const answer = { id: 'a', object: 'chat.completion', model: 'theirs', choices };
      response.end(JSON.stringify(known ? (request.url === '/v1/models' ? models : answer) : { error: 'no' }));
    });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
}

beforeAll(async () => {
  await listen(0);
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  place = await TestHome.make();
  ({ client } = await place.serve());
  await client.pilots.ensure({ name: 'demo', description: { cores: 1, runtime: '10m' }, origin, key: newKey() });
  await client.credentials.put({ name: 'theirs', secret: KEY });
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await place.close();
});

const submit = async (command: string[]) =>
  (
    await client.tasks.submit({
      tasks: [{ description: { command, services: ['theirs'] }, key: newKey() }],
      origin,
    })
  )[0]?.id ?? '';

const spooled = async (pilot: string) => {
  const lines = (
    await Promise.all([1, 2].map((epoch) => place.records(`pilots/${pilot}/spool/${epoch}.jsonl`).catch(() => [])))
  ).flat();
  return lines
    .filter(({ type }) => type === 'remote-service')
    .map(({ service }) => service as { endpoints: unknown[] });
};

describe('a task that calls a service of somebody else', () => {
  it('finds it through the router of its pilot, with a key of its own and never the credential', async () => {
    const description = { url, name: 'theirs', credential: 'theirs' };
    const attached = await client.services.attach({ description, origin, key: newKey() });
    const ask = `curl -s -H "Authorization: Bearer $OPENAI_API_KEY" -H 'content-type: application/json' \\
      -d '{"model": "theirs", "messages": [{"role": "user", "content": "hi"}]}' "$OPENAI_BASE_URL/chat/completions"
      env | grep -c ${KEY}`;
    const ref = await submit(['sh', '-c', ask]);
    const task = await eventually('the end of the task', async () => {
      const now = await client.tasks.get({ ref });
      return now.endedAt !== null && now;
    });
    const { text } = await client.tasks.log({ ref, stream: 'stdout' });
    expect(text).toContain('"content":"hello"');
    expect(text.trimEnd().endsWith('\n0') || text.trimEnd().endsWith('}0')).toBe(true);
    const told = await spooled(task.pilot ?? '');
    expect(told).toMatchObject([{ id: attached.id, name: 'theirs', api: 'openai', endpoints: [{ index: 1 }] }]);
    expect(JSON.stringify(told)).not.toContain(KEY);
    expect(JSON.stringify(await place.whole('services.json'))).not.toContain(KEY);
  });

  it('is told when it goes and comes, also by the next Pilothouse, and waits meanwhile', async () => {
    const { id: pilot } = await client.pilots.get({ ref: 'demo' });
    const { port } = server.address() as AddressInfo;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await client.services.probe({ ref: 'theirs' });
    await eventually('told that it is gone', async () => (await spooled(pilot)).at(-1)?.endpoints.length === 0);
    const ref = await submit(['true']);
    const [bridge] = place.processes().filter(({ command }) => command.includes('kernels-bridge/lib/main.js'));
    process.kill(bridge?.pid ?? 0, 'SIGKILL');
    ({ client } = await place.serve());
    expect((await client.tasks.get({ ref })).state).toBe('WAITING');
    await listen(port);
    await client.services.probe({ ref: 'theirs' });
    await eventually('told that it is back', async () => (await spooled(pilot)).at(-1)?.endpoints.length === 1);
    await eventually('DONE', async () => (await client.tasks.get({ ref })).state === 'DONE');
  });
});
