import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Client, errorOf, eventually, newKey, origin, TestHome } from './support/bridge.js';

let place: TestHome;
let client: Client;
beforeAll(async () => {
  place = await TestHome.make();
  ({ client } = await place.serve());
});
afterAll(() => place.close());

const hello = { protocol: 1, version: '0.0.0', client: 'test' };

/** Sends raw frames over a connection of its own and gives the code and reason it is closed with. */
function closedAfter(frame: string | Buffer): Promise<{ code: number; reason: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws+unix://${place.socket}:/ws`);
    socket.once('open', () => socket.send(frame));
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    socket.once('error', reject);
  });
}

function post(path: string, body: string, type = 'application/json'): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: place.socket, path, method: 'POST', headers: { 'content-type': type } },
      (answer) => {
        let text = '';
        answer.on('data', (data: Buffer) => {
          text += data.toString();
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
      },
    );
    call.once('error', reject);
    call.end(body);
  });
}

describe('a malformed frame', () => {
  it.each([
    ['text that is no JSON', 'hello?'],
    ['JSON that is no message', '{"p":1}'],
    ['a message without an address', '{"i":"1","p":{}}'],
    ['a message without a body', '{"i":"1"}'],
    ['JSON null', 'null'],
    ['bytes', Buffer.from([1, 2, 3, 255, 0])],
  ])('(%s) closes that client with the code, and no other', async (_, frame) => {
    const { code, reason } = await closedAfter(frame);
    expect(code).toBe(4400);
    expect(reason).toContain('INVALID_FRAME');
    expect((await client.system.hello(hello)).home).toBe(place.home);
  });

  it('larger than 8 MiB closes that client with 1009, and no other', async () => {
    expect((await closedAfter('x'.repeat(9 * 1024 * 1024))).code).toBe(1009);
    expect((await client.system.hello(hello)).home).toBe(place.home);
  });

  it('over HTTP is answered with the code', async () => {
    const { status, body } = await post('/api/v1/system/hello', '{"protocol":');
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'INVALID_FRAME', data: { code: 'INVALID_FRAME', retryable: false } });
  });
});

describe('an unknown method', () => {
  it('is named over the WebSocket', async () => {
    const socket = new WebSocket(`ws+unix://${place.socket}:/ws`);
    const answer = await new Promise<string>((resolve, reject) => {
      socket.once('open', () => socket.send(JSON.stringify({ i: '1', p: { u: '/pilots/explode', b: { json: {} } } })));
      socket.once('message', (data) => resolve(String(data)));
      socket.once('error', reject);
    });
    socket.close();
    expect(JSON.parse(answer)).toMatchObject({
      i: '1',
      p: { s: 404, b: { json: { code: 'UNKNOWN_METHOD', message: 'there is no call "pilots.explode"' } } },
    });
  });

  it('is named over HTTP', async () => {
    const { status, body } = await post('/api/v1/pilots/explode', '{}');
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'UNKNOWN_METHOD', data: { hint: expect.stringContaining('bridge stop') } });
  });
});

it('a version mismatch says who is older and what to do', async () => {
  const newer = await errorOf(client.system.hello({ protocol: 99, version: '9.0.0', client: '@pilothouse/sdk' }));
  expect(newer).toMatchObject({ code: 'VERSION_MISMATCH', retryable: false });
  expect(newer.message).toContain('@pilothouse/sdk 9.0.0 speaks protocol 99');
  expect(newer.hint).toContain('pilothouse bridge stop');
  const older = await errorOf(client.system.hello({ protocol: 0, version: '0.0.1', client: '@pilothouse/sdk' }));
  expect(older.hint).toContain('Update @pilothouse/sdk');
});

describe('a wrong description', () => {
  it('names the field, however deep', async () => {
    const wrong = client.tasks.submit({
      tasks: [{ description: { command: ['true'], gpus: -1 }, key: newKey() }],
      origin,
    });
    expect(await errorOf(wrong)).toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'tasks.0.description.gpus' });
  });

  it.each([
    [{ cores: 1.5 }, 'description.cores: use a whole number'],
    [{ cores: 'many' }, 'description.cores: use a number'],
    [{ cores: 0 }, 'description.cores: use at least 1'],
    [{ runtime: 'soon' }, 'description.runtime: write a duration as 90s, 30m, 2h or 1h30m'],
    [{ engine: 'cloud' }, 'description.engine: use local'],
  ])('is answered in words for people: %j', async (description, message) => {
    const { body } = await post('/api/v1/pilots/submit', JSON.stringify({ description, origin, key: newKey() }));
    expect(body).toMatchObject({ code: 'INVALID_DESCRIPTION', message });
  });

  it('names a field that there is not', async () => {
    const { status, body } = await post(
      '/api/v1/pilots/submit',
      JSON.stringify({ description: { coress: 2 }, origin, key: newKey() }),
    );
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'INVALID_DESCRIPTION', data: { field: 'description.coress' } });
  });

  it('asking for more than the machine has names field and limit', async () => {
    const [{ limits } = { limits: { cores: 0 } }] = await client.engines.list({});
    const error = await errorOf(
      client.pilots.submit({ description: { cores: limits.cores + 1 }, origin, key: newKey() }),
    );
    expect(error).toMatchObject({ code: 'PILOT_REFUSED', field: 'cores' });
    expect(error.message).toContain(`this machine gives ${limits.cores}`);
    expect(error.evidence).toMatch(/cores? by/);
  });

  it('without a live pilot waits for one, and says so', async () => {
    const [task] = await client.tasks.submit({
      tasks: [{ description: { command: ['true'] }, key: newKey() }],
      origin,
    });
    expect(task).toMatchObject({ state: 'NEW', pilot: null, reason: { code: 'WAITS_FOR_PILOT' } });
    expect((await client.tasks.explain({ ref: task?.id ?? '' })).text).toBe('no pilot; start one');
    expect((await client.tasks.cancel({ ref: task?.id ?? '' })).state).toBe('CANCELED');
  });
});

describe('a task', () => {
  const refusal = (description: Parameters<Client['tasks']['submit']>[0]['tasks'][number]['description']) =>
    errorOf(client.tasks.submit({ tasks: [{ description, key: newKey() }], origin }));

  it('cannot wait for itself', async () => {
    const error = await refusal({ name: 'me', command: ['true'], after: ['me'] });
    expect(error).toMatchObject({ code: 'TASK_NOT_FOUND', field: 'after' });
    expect(error.message).toContain('no task "me" before this one');
  });

  it('needs a program, and words that a process can be given', async () => {
    expect(await refusal({ command: [''] })).toMatchObject({
      field: 'tasks.0.description.command.0',
      message: expect.stringContaining('name a program'),
    });
    expect(await refusal({ command: ['echo', 'a\0b'] })).toMatchObject({
      field: 'tasks.0.description.command.1',
      message: expect.stringContaining('must not hold a NUL character'),
    });
    expect((await refusal({ command: ['env'], env: { A: '\0' } })).field).toBe('tasks.0.description.env.A');
  });
});

describe('work that cannot run', () => {
  it('fails with the missing program or folder named, and nothing else is touched', async () => {
    const pilot = await client.pilots.ensure({ name: 'bad', description: { runtime: '5m' }, origin, key: newKey() });
    const submit = async (description: { command: string[]; cwd?: string; retries?: number; memory?: string }) => {
      const [task] = await client.tasks.submit({ tasks: [{ description, key: newKey() }], origin });
      return eventually('the end', async () => {
        const now = await client.tasks.get({ ref: task?.id ?? '' });
        return now.endedAt !== null && now;
      });
    };
    expect(await submit({ command: ['no-such-program-here'] })).toMatchObject({
      state: 'FAILED',
      error: { code: 'EXECUTABLE_NOT_FOUND', message: expect.stringContaining('no-such-program-here') },
    });
    expect(await submit({ command: ['true'], cwd: '/no/such/folder' })).toMatchObject({
      state: 'FAILED',
      error: { code: 'DIRECTORY_NOT_FOUND', message: expect.stringContaining('/no/such/folder') },
    });
    expect(await submit({ command: ['true'] })).toMatchObject({ state: 'DONE', exitCode: 0 });
    expect(await submit({ command: ['true'], memory: '900TiB' })).toMatchObject({
      state: 'FAILED',
      error: { code: 'INVALID_DESCRIPTION', field: 'memory', message: expect.stringContaining('of memory') },
    });
    const second = `test -e "$0" || { touch "$0"; echo broken >&2; kill -9 $$; }`;
    const again = await submit({ command: ['sh', '-c', second, `${place.home}/begun`], retries: 1 });
    expect(again).toMatchObject({ state: 'DONE', attempt: 2, exitCode: 0, signal: null, stderrTail: null });
    const description = { command: ['true'], expectedDuration: '9h' };
    const [long] = await client.tasks.submit({ tasks: [{ description, key: newKey() }], origin });
    await eventually('words', async () => {
      const { text } = await client.tasks.explain({ ref: long?.id ?? '' });
      return text === 'no live pilot has time left for it, which takes about 9 h; start one with a longer runtime';
    });
    await client.pilots.end({ ref: pilot.id });
  });
});
