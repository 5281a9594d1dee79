import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineService, serve } from '@pilothouse/sdk/service';
import { attachDescriptionSchema } from '@pilothouse/sdk/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { curveKeyPair } from 'zeromq';
import { z } from 'zod';
import { checkServer, createAdapters, detect } from '../src/index.js';
import type { Target } from '../src/types.js';
import { ask } from './support/ask.js';
import { freePorts, listens, PEERS, Peer } from './support/peers.js';
import { targetAt } from './support/targets.js';

const PYTHON = fileURLToPath(new URL('../../.pilothouse/venv/bin/python', import.meta.url));
const demo = defineService({
  name: 'demo',
  methods: {
    scale: { input: z.object({ values: z.array(z.number()), factor: z.number() }), output: z.array(z.number()) },
    count: { input: z.object({ upto: z.number() }), output: z.null(), chunk: z.number() },
    fails: { input: z.object({ why: z.string() }), output: z.null() },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'ph-own-'));
const { publicKey, secretKey } = curveKeyPair();
const TOKEN = 'the-token-of-both-services';
const files = { token: join(folder, 'token'), curve: join(folder, 'curve') };
const ends: (() => Promise<unknown>)[] = [];
const adapters = createAdapters();
const { zeromq } = adapters.byApi;

/** What an agent tells an instance. */
const environment = (port: number) => ({
  PILOTHOUSE_SERVICE_NAME: 'demo',
  PILOTHOUSE_SERVICE_ADDRESS: `tcp://127.0.0.1:${port}`,
  PILOTHOUSE_SERVICE_KEY_FILE: files.token,
  PILOTHOUSE_SERVICE_CURVE_FILE: files.curve,
});

async function inTypeScript(): Promise<number> {
  const [port = 0] = await freePorts(1);
  Object.assign(process.env, environment(port));
  const service = await serve(demo, {
    handleSignals: false,
    drainTimeout: 0,
    handlers: {
      scale: ({ values, factor }) => values.map((value) => value * factor),
      count: async function* ({ upto }) {
        for (let number = 0; number < upto; number += 1) yield number;
        return null;
      },
      fails: ({ why }) => {
        throw new Error(why);
      },
    },
  });
  ends.push(() => service.close());
  return port;
}

async function inPython(): Promise<number> {
  const peer = await Peer.start(
    1,
    ([port = 0]) => ({ argv: [PYTHON, join(PEERS, 'own_service.py')], env: environment(port) }),
    ([port = 0]) => listens(port),
  );
  ends.push(() => peer.stop());
  return peer.ports[0] ?? 0;
}

describe.each([
  ['TypeScript', inTypeScript],
  ['Python', inPython],
])('a service of one’s own in %s', (_, start) => {
  let url: string;
  let target: Target;

  beforeAll(async () => {
    writeFileSync(files.token, TOKEN, { mode: 0o600 });
    writeFileSync(files.curve, JSON.stringify({ publicKey, secretKey }), { mode: 0o600 });
    url = `tcp://127.0.0.1:${await start()}`;
    const plain = targetAt(url, { key: TOKEN, name: 'demo' });
    target = { ...plain, endpoint: { ...plain.endpoint, serverKey: publicKey } };
  }, 160_000);
  afterAll(async () => {
    for (const end of ends.splice(0)) await end();
  });

  it('answers with a value and its own times, and in pieces', async () => {
    const said = await ask(zeromq, target, { op: 'call', method: 'scale', input: { values: [1, 2], factor: 3 } });
    expect(said).toMatchObject({ value: [3, 6], inference: expect.any(Number), queued: expect.any(Number) });
    const pieces = await ask(zeromq, target, { op: 'call', method: 'count', input: { upto: 4 }, stream: true });
    expect(pieces).toMatchObject({ data: [0, 1, 2, 3], value: null, started: true });
  });

  it('what its method raises, a wrong token, and a health check', async () => {
    await expect(ask(zeromq, target, { op: 'call', method: 'fails', input: { why: 'no data' } })).rejects.toMatchObject(
      {
        code: 'FUNCTION_RAISED',
        message: expect.stringContaining('no data'),
      },
    );
    await expect(ask(zeromq, target, { op: 'call', method: 'nope', input: {} })).rejects.toMatchObject({
      code: 'METHOD_NOT_FOUND',
    });
    const wrong = { ...target, key: 'a-guessed-token' };
    await expect(ask(zeromq, wrong, { op: 'call', method: 'scale', input: {} })).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    });
    expect(await zeromq.check(target, AbortSignal.timeout(30_000))).toEqual(expect.any(String));
  });

  it('is found by its greeting, and attached with what it can do', async () => {
    const signal = AbortSignal.timeout(30_000);
    const keyless = attachDescriptionSchema.parse({ url });
    expect(await detect(adapters, keyless, null, signal)).toMatchObject({
      api: null,
      evidence: expect.arrayContaining([expect.stringContaining('CURVE')]),
      remedy: expect.stringContaining('server key'),
    });
    const description = attachDescriptionSchema.parse({ url, serverKey: publicKey, credential: 'demo' });
    expect(await detect(adapters, description, TOKEN, signal)).toMatchObject({
      api: 'zeromq',
      asksForKey: true,
      remedy: null,
    });
    const checked = await checkServer(adapters, description, TOKEN, signal);
    expect(checked).toMatchObject({ api: 'zeromq', base: url, open: false });
    expect(checked.methods?.map(({ name }) => name).sort()).toEqual(['count', 'fails', 'scale']);
  });
});

afterAll(() => {
  adapters.close();
  rmSync(folder, { recursive: true, force: true });
});
