import { createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { curveKeyPair, Dealer } from 'zeromq';
import { z } from 'zod';
import { ping } from '../src/direct/index.js';
import { defineService } from '../src/service/index.js';
import { after, connected, served, servedElsewhere, targetOf, until } from './support/own-service.js';

const echo = defineService({ name: 'echo', input: z.unknown(), output: z.unknown() });
const echoing = () => served(echo, { handler: (value) => value });

/** Begins to answer half of the calls, and never ends. */
const STUCK = `
import { defineService, serve } from '@pilothouse/sdk/service';
import { z } from 'zod';
const { address, serverKey, keyFile } = await serve(
  defineService({ name: 'stuck', input: z.number(), output: z.null(), chunk: z.number() }),
  {
    announce: false,
    concurrency: 100,
    async *handler(input) {
      if (input % 2 === 0) yield input;
      await new Promise(() => {});
      return null;
    },
  },
);
console.log(JSON.stringify({ address, serverKey, keyFile }));`;

/** A client of its own making, that says what it likes. */
function stranger({ address, serverKey, token }: ReturnType<typeof targetOf>, hello: boolean): Dealer {
  const { publicKey, secretKey } = curveKeyPair();
  const socket = new Dealer({
    curveServerKey: serverKey,
    curvePublicKey: publicKey,
    curveSecretKey: secretKey,
    linger: 0,
    sendHighWaterMark: 0,
  });
  after(() => socket.close());
  socket.connect(address);
  if (hello) void socket.send(JSON.stringify({ t: 'hello', v: [1], token }));
  return socket;
}

describe('a service of one’s own, when something is wrong', () => {
  it('lets nobody in without its token, its key, or its version', async () => {
    const service = await echoing();
    const target = targetOf(service);
    await expect(ping({ ...target, token: 'guessed' })).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
    const { publicKey } = curveKeyPair();
    await expect(ping({ ...target, serverKey: publicKey }, { timeout: 30_000 })).rejects.toMatchObject({
      code: 'AUTHENTICATION_FAILED',
    });
    const socket = stranger(target, false);
    await socket.send(`${JSON.stringify({ t: 'call', id: 7, method: 'call' })}\n1`);
    expect(JSON.parse(String((await socket.receive())[0]))).toEqual({ t: 'unknown', id: 7 });
    await socket.send(JSON.stringify({ t: 'hello', v: [99], token: target.token }));
    expect(JSON.parse(String((await socket.receive())[0]))).toMatchObject({ error: { code: 'VERSION_MISMATCH' } });
  });

  it('tells at once that nothing listens', async () => {
    const target = targetOf(await echoing());
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const bound = blocker.address();
    const port = typeof bound === 'object' ? bound?.port : undefined;
    await new Promise((resolve) => blocker.close(resolve));
    await expect(ping({ ...target, address: `tcp://127.0.0.1:${port}` }, { timeout: 30_000 })).rejects.toMatchObject({
      code: 'SERVICE_UNREACHABLE',
      message: expect.stringContaining('does not accept connections'),
    });
  });

  it('loses no call without an error that names the instance', async () => {
    const { target, kill } = await servedElsewhere(STUCK);
    const connection = connected(target);
    let pieces = 0;
    const calls = Array.from({ length: 64 }, (_, input) =>
      connection.call({
        method: 'call',
        input,
        stream: true,
        onChunk: () => {
          pieces += 1;
        },
      }),
    );
    const settled = Promise.allSettled(calls);
    await until(() => pieces === 32, 'half of them have begun to answer');
    kill();
    const codes = (await settled).map((one) => (one.status === 'rejected' ? one.reason.code : 'answered'));
    expect(codes).toEqual(calls.map((_, index) => (index % 2 === 0 ? 'STREAM_CUT' : 'SERVICE_UNREACHABLE')));
  });

  it('goes on whatever it is sent', async () => {
    const service = await echoing();
    const connection = connected(service);
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record(
          {
            t: fc.constantFrom('hello', 'call', 'grant', 'cancel', 'ping', 'bye', 'reply', 'none'),
            id: fc.oneof(fc.integer(), fc.double(), fc.string()),
            method: fc.oneof(fc.constant('call'), fc.string()),
            credits: fc.integer(),
            v: fc.anything(),
            token: fc.string(),
            binaries: fc.array(fc.record({ type: fc.constantFrom('f8', 'x'), shape: fc.array(fc.integer()) })),
          },
          { requiredKeys: [] },
        )
        .map((header) => Buffer.from(JSON.stringify(header, (_key, value) => (typeof value === 'bigint' ? 0 : value)))),
    );
    const strangers = [stranger(targetOf(service), true), stranger(targetOf(service), false)];
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 4 }), async (frames) => {
        for (const socket of strangers) await socket.send(frames);
      }),
      { numRuns: 300 },
    );
    // Messages of one sender come in order: when the last one is answered, all have been read.
    for (const socket of strangers) {
      await socket.send(JSON.stringify({ t: 'hello', v: [1], token: targetOf(service).token }));
      await socket.send(JSON.stringify({ t: 'ping', id: 4_000_000_000 }));
      for (;;) {
        const { t, id } = JSON.parse(String((await socket.receive())[0]));
        if (t === 'pong' && id === 4_000_000_000) break;
      }
    }
    expect((await connection.call({ method: 'call', input: 'still there' })).value).toBe('still there');
  });
});
