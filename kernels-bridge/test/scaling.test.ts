import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnswerRecord, ServiceRecord } from '@pilothouse/sdk/internal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RegistryFile, registryFileSchema } from '../src/managers/registry-file.js';
import { type Client, errorOf, eventually, newKey, origin, TestHome } from './support/bridge.js';

/** A real HTTP server that says which instance it is; what is asked for at /hold waits for a file. */
const SERVER = `
import http.server, json, os, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/hold":
            open(os.environ["HELD"], "w").close()
            while not os.path.exists(os.environ["GATE"]): time.sleep(0.02)
        body = json.dumps({"instance": int(os.environ["NUMBER"]), "pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("{host}".strip(), int(sys.argv[1])), Handler).serve_forever()
`;

let place: TestHome;
let client: Client;
let scratch: string;
const file = (name: string): string => join(scratch, name);

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'ph-scale-'));
  place = await TestHome.make();
  ({ client } = await place.serve());
  await client.pilots.ensure({ name: 'demo', description: { cores: 2, runtime: '10m' }, origin, key: newKey() });
});
afterAll(async () => {
  await place.close();
  rmSync(scratch, { recursive: true, force: true });
});

const start = (name: string, more: object = {}) =>
  client.services.ensure({
    name,
    description: {
      command: ['python3', '-c', SERVER, '{port}'],
      env: { NUMBER: '{instance}', GATE: file(`${name}-gate`), HELD: file(`${name}-held`) },
      api: 'rest',
      allowUnauthenticated: true,
      probes: { readiness: { http: '/health', interval: '200ms' } },
      ...more,
    },
    origin,
    key: newKey(),
  });

const until = (name: string, what: string, look: (service: ServiceRecord) => boolean) =>
  eventually(`${name}: ${what}`, async () => {
    const now = await client.services.get({ ref: name });
    return look(now) && now;
  });
const ready = (name: string, count: number) =>
  until(name, `${count} ready`, (service) => live(service).length === count && service.state === 'READY');
const live = ({ instances }: ServiceRecord) =>
  instances.filter(({ state }) => state !== 'STOPPED' && state !== 'FAILED');

const ask = (name: string, path = '/', instance?: number) =>
  client.answers.ask({
    service: name,
    request: { op: 'rest', method: 'GET', path },
    options: instance === undefined ? {} : { instance },
    origin,
    key: newKey(),
  });
const answered = ({ id }: AnswerRecord) =>
  eventually(`the answer ${id}`, async () => {
    const now = await client.answers.get({ ref: id });
    return now.endedAt !== null && now;
  });

describe('instances', () => {
  it('become more and fewer on demand, and the service stays ready', async () => {
    await start('some', { instances: 1 });
    await ready('some', 1);
    const asked = await client.services.scale({ ref: 'some', instances: 2 });
    expect(asked).toMatchObject({ state: 'READY', scale: null, description: { instances: 2 } });
    const two = await ready('some', 2);
    expect(live(two).map(({ index }) => index)).toEqual([1, 2]);
    await client.services.scale({ ref: 'some', instances: 1 });
    const one = await ready('some', 1);
    expect(one.times.DEGRADED).toBeUndefined();
    expect(await errorOf(client.services.scale({ ref: 'some', instances: 99 }))).toMatchObject({
      code: 'INVALID_DESCRIPTION',
      field: 'instances.cores',
    });
    await client.services.stop({ ref: 'some' });
  });

  it('are none while nobody asks, and one as soon as somebody does', async () => {
    const instances = { min: 0, max: 1, upAfter: '0s', downAfter: '0s' };
    await start('lazy', { instances });
    const asleep = await until('lazy', 'asleep', ({ state }) => state === 'READY');
    expect(asleep.instances).toEqual([]);
    expect(asleep.reason).toMatchObject({ code: 'SLEEPS', text: 'sleeps; starts with the first request' });
    const answer = await answered(await ask('lazy'));
    expect(answer).toMatchObject({ state: 'DONE', value: { status: 200, body: { instance: 1 } } });
    const again = await until('lazy', 'asleep again', (service) => live(service).length === 0);
    expect(again.scale).toMatchObject({ min: 0, max: 1, wanted: 0, why: expect.stringContaining('→ 0') });
    expect(again.state).toBe('READY');
    // Nothing of it runs: it is gone at once.
    expect(await client.services.stop({ ref: 'lazy' })).toMatchObject({ state: 'STOPPED' });
  });

  it('are started anew one after the other', async () => {
    await start('rolling', { instances: 2 });
    const before = await ready('rolling', 2);
    const fewest: number[] = [];
    await client.services.restart({ ref: 'rolling' });
    const after = await until('rolling', 'both anew', (service) => {
      fewest.push(service.instances.filter(({ state }) => state === 'READY').length);
      return service.state === 'READY' && live(service).every(({ attempt }) => attempt === 2);
    });
    expect(Math.min(...fewest)).toBeGreaterThanOrEqual(1);
    expect(after.instances.map(({ id }) => id)).toEqual(before.instances.map(({ id }) => id));
    await client.services.stop({ ref: 'rolling' });
  });

  it('that are drained answer what they have and get nothing new', async () => {
    await start('drained', { instances: 2 });
    await ready('drained', 2);
    const held = await ask('drained', '/hold', 1);
    await eventually('the request under way', async () => existsSync(file('drained-held')));
    await client.services.drain({ ref: 'drained', instance: 1 });
    await until('drained', 'instance 1 drains', ({ instances }) => instances[0]?.draining === true);
    for (let count = 0; count < 3; count += 1) {
      expect(await answered(await ask('drained'))).toMatchObject({ state: 'DONE', instance: { index: 2 } });
    }
    expect((await client.answers.get({ ref: held.id })).endedAt).toBeNull();
    writeFileSync(file('drained-gate'), '');
    expect(await answered(held)).toMatchObject({ state: 'DONE', instance: { index: 1 } });
    const left = await until('drained', 'one left', (service) => live(service).length === 1);
    expect(left).toMatchObject({ state: 'READY', description: { instances: 1 } });
    await client.services.drain({ ref: 'drained' });
    const ended = await eventually('the whole service drained', async () => {
      const now = await client.services.get({ ref: left.id });
      return now.endedAt !== null && now;
    });
    expect(ended).toMatchObject({ state: 'STOPPED', error: null });
    expect(await errorOf(client.services.scale({ ref: left.id, instances: 2 }))).toMatchObject({
      code: 'SERVICE_STOPPED',
    });
  });

  it('do not take a port that the description names and somebody has', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const ports = [{ name: 'http', port }];
    const { id } = await start('taken', { ports, restarts: 0 });
    const failed = await until(id, 'failed', ({ state }) => state === 'FAILED');
    expect(failed.error).toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining(String(port)) });
    await new Promise((resolve) => taken.close(resolve));
  });
});

describe('where services answer', () => {
  const registry = async (look: (file: RegistryFile) => boolean) =>
    eventually('services.json', async () => {
      const text = JSON.stringify(await place.whole('services.json').catch(() => null));
      const read = registryFileSchema.safeParse(JSON.parse(text));
      return read.success && look(read.data) && read.data;
    });

  it('is known again after its agent and after Pilothouse were killed, and stands in a file meanwhile', async () => {
    await start('stays', { instances: 1 });
    const before = await ready('stays', 1);
    const url = before.instances[0]?.endpoint?.url;
    const told = await registry(({ services }) =>
      services.some(({ name, state }) => name === 'stays' && state === 'READY'),
    );
    expect(told).toMatchObject({ v: 1, watched: true });
    expect(told.services.find(({ name }) => name === 'stays')?.instances).toEqual([
      expect.objectContaining({ id: before.instances[0]?.id, index: 1, attempt: 1, url, keyFile: null }),
    ]);
    const agent = place.processes().find(({ command }) => command.includes('agent') && command.includes('main.js'));
    const first = await answered(await ask('stays'));
    process.kill(agent?.pid ?? 0, 'SIGKILL');
    const [bridge] = place.processes().filter(({ command }) => command.includes('kernels-bridge/lib/main.js'));
    process.kill(bridge?.pid ?? 0, 'SIGKILL');
    // Nobody watches: the file is as it was, and says when that was.
    expect(await registry(() => true)).toMatchObject({ epoch: told.epoch, at: expect.any(String) });
    ({ client } = await place.serve());
    const after = await ready('stays', 1);
    expect(after.instances[0]?.endpoint?.url).toBe(url);
    await registry(({ epoch }) => epoch > told.epoch);
    // The very same process: it went on without anybody.
    expect((await answered(await ask('stays'))).value).toEqual(first.value);
    expect(after.instances[0]?.attempt).toBe(1);
  });
});
