import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BatchDescription } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../answers/llama-server.js';
import { type Client, errorOf, eventually, newKey, origin, TestHome } from '../support/bridge.js';

const CLI = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));
const SERVER = fileURLToPath(new URL('programs/echo-server.mjs', import.meta.url));

let place: TestHome;
let client: Client;
let server: ChildProcess;
beforeEach(async () => {
  place = await TestHome.make();
  ({ client } = await place.serve());
  const port = await freePort();
  const keyFile = join(place.home, 'key');
  writeFileSync(keyFile, 'secret-of-the-test', { mode: 0o600 });
  server = spawn(process.execPath, [SERVER, String(port), keyFile], { stdio: 'inherit' });
  await eventually('the server', () =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  await client.credentials.put({ name: 'echo', secret: 'secret-of-the-test' });
  const description = { url: `http://127.0.0.1:${port}/v1`, name: 'echo', credential: 'echo' };
  await client.services.attach({ description, origin, key: newKey() });
});
afterEach(async () => {
  server.kill('SIGKILL');
  await place.close();
});

const start = (out: string, more: Partial<BatchDescription> = {}) =>
  client.batches.start({
    description: { service: 'echo', input: { file: join(place.home, 'in.txt') }, out: join(place.home, out), ...more },
    origin,
    key: newKey(),
  });

/** Runs the command line as a user does. */
async function pilothouse(...args: string[]): Promise<{ code: number | null; out: string }> {
  const env = { ...process.env, PILOTHOUSE_HOME: place.home, PILOTHOUSE_RUNTIME_DIR: place.runtimeDir };
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data.toString();
  });
  const [code] = await once(child, 'close');
  return { code, out };
}

test('a batch of an attached service runs on a pilot that is active, and ends when the service is let go', async () => {
  writeFileSync(join(place.home, 'in.txt'), 'one\ntwo\nthree\n');
  expect(await errorOf(start('out.jsonl'))).toMatchObject({ code: 'PILOT_NOT_FOUND', field: 'pilot' });
  await client.pilots.ensure({ name: 'demo', description: { cores: 1, runtime: '10m' }, origin, key: newKey() });
  const { id, pilot } = await start('out.jsonl');
  expect(pilot).toMatch(/^pilot-/);
  const ended = await eventually('the end', async () => {
    const batch = await client.batches.get({ ref: id });
    return batch.endedAt !== null && batch;
  });
  expect(ended).toMatchObject({ state: 'DONE', progress: { total: 3, done: 3, failed: 0 } });
  const { rows } = await client.batches.rows({ ref: id });
  expect(rows.map(({ text }) => text).toSorted()).toEqual(['echo one', 'echo three', 'echo two']);
  expect(JSON.stringify(await place.records(`pilots/${pilot}/spool/1.jsonl`))).not.toContain('secret-of-the-test');
  expect(readFileSync(join(place.home, 'out.jsonl'), 'utf8')).not.toContain('secret-of-the-test');

  // Its server is gone: the next batch waits for it, until nobody wants the service any more.
  server.kill('SIGKILL');
  const { id: next } = await start('other.jsonl');
  await eventually('a batch that waits', async () => (await client.batches.get({ ref: next })).state === 'WAITING');
  await client.services.stop({ ref: 'echo' });
  await eventually('CANCELED', async () => (await client.batches.get({ ref: next })).state === 'CANCELED');
});

test("OpenAI's batch format, and the command line", async () => {
  await client.pilots.ensure({ name: 'demo', description: { cores: 1, runtime: '10m' }, origin, key: newKey() });
  const line = (id: string, content: string) => {
    const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content }] };
    return `${JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body })}\n`;
  };
  const input = join(place.home, 'requests.jsonl');
  writeFileSync(
    input,
    line('a', 'one') + line('b', 'two') + line('empty', '').replace(/"messages":\[.*?\]/, '"messages":[]'),
  );
  const { id } = await start('openai.jsonl', { op: 'openai', input: { file: input } });
  const shown = await pilothouse('batches', 'show', 'openai', '--wait');
  // A row of it failed.
  expect(shown.code).toBe(1);
  expect(shown.out).toContain('openai (');
  expect(shown.out).toContain('failed: empty: line 3:');
  const written = readFileSync(join(place.home, 'openai.jsonl'), 'utf8').trim().split('\n');
  const rows = written.map((text): { custom_id: string } => JSON.parse(text));
  expect(rows.find(({ custom_id }) => custom_id === 'b')).toMatchObject({
    response: { status_code: 200, body: { model: 'echo', choices: [{ message: { content: 'echo two' } }] } },
    error: null,
  });
  expect(rows.find(({ custom_id }) => custom_id === 'empty')).toMatchObject({
    response: null,
    error: { code: expect.any(String) },
  });
  expect((await pilothouse('batches', '--all')).out).toMatch(/openai +\w{6} +DONE/);
  expect(JSON.parse((await pilothouse('batches', 'show', id, '--json')).out)).toMatchObject({ id, state: 'DONE' });
});
