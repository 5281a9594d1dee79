import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DirectInstance, ServiceClient } from '../src/direct/index.js';
import { routingSchema } from '../src/schemas/routing.js';
import type { Served } from '../src/service/index.js';
import { defineService } from '../src/service/index.js';
import { after, served, until } from './support/own-service.js';

const who = defineService({ name: 'who', input: z.string(), output: z.number(), chunk: z.number() });

/** Instances of one service, each of which says its number. */
async function instances(count: number) {
  const asked = Array.from({ length: count }, () => 0);
  const all: Served[] = [];
  for (let index = 0; index < count; index += 1) {
    all.push(
      await served(who, {
        concurrency: 64,
        async *handler(input) {
          asked[index] = (asked[index] ?? 0) + 1;
          if (input === 'stream') for (let piece = 0; ; piece += 1) yield piece;
          await new Promise((resolve) => setTimeout(resolve, 2));
          return index + 1;
        },
      }),
    );
  }
  const known: DirectInstance[] = all.map(({ address, serverKey, keyFile }, index) => ({
    id: `instance-${index + 1}`,
    index: index + 1,
    endpoint: { url: address, ports: {}, keyFile, serverKey },
  }));
  return { all, asked, known };
}

function client(known: readonly DirectInstance[]): ServiceClient {
  const made = new ServiceClient({ name: 'who', routing: routingSchema.parse({}) });
  after(() => made.close());
  made.update(known);
  return made;
}

/** One of the independent clients: 250 calls, eight at a time. */
const CLIENT = `
import { ServiceClient } from '@pilothouse/sdk/direct';
const client = new ServiceClient({ name: 'who', routing: JSON.parse(process.argv[2]) });
client.update(JSON.parse(process.argv[1]));
let left = 250;
await Promise.all(Array.from({ length: 8 }, async () => {
  while (left-- > 0) await client.call({ method: 'call', input: '', stream: false });
}));
client.close();`;

describe('direct calls', () => {
  it('of eight processes that know nothing of each other share eight instances evenly', async () => {
    const { known, asked } = await instances(8);
    const argv = [
      '--input-type=module',
      '--eval',
      CLIENT,
      JSON.stringify(known),
      JSON.stringify(routingSchema.parse({})),
    ];
    const clients = Array.from({ length: 8 }, () =>
      spawn(process.execPath, argv, { cwd: join(import.meta.dirname, '..'), stdio: 'inherit' }),
    );
    for (const each of clients) after(() => each.kill('SIGKILL'));
    const codes = await Promise.all(clients.map((each) => once(each, 'exit')));
    expect(codes.map(([code]) => code)).toEqual(clients.map(() => 0));
    const total = asked.reduce((sum, one) => sum + one, 0);
    expect(total).toBe(2000);
    expect(Math.max(...asked)).toBeLessThanOrEqual((total / 8) * 1.3);
  });

  it('go to another instance where one is finishing or gone, and say so where none is left', async () => {
    const { all, known } = await instances(2);
    const calls = client(known);
    const [first, second] = all;
    await first?.close();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => calls.call({ method: 'call', input: '', stream: false })),
    );
    expect(new Set(outcomes.map(({ value, instance }) => `${value} ${instance.id}`))).toEqual(
      new Set(['2 instance-2']),
    );
    await second?.close();
    await expect(calls.call({ method: 'call', input: '', stream: false })).rejects.toMatchObject({
      code: 'SERVICE_UNREACHABLE',
      ids: { instance: expect.stringContaining('instance-') },
    });
  });

  it('are not made twice once something of the answer has been passed on', async () => {
    const { all, asked, known } = await instances(2);
    const calls = client(known);
    let pieces = 0;
    const call = calls.call(
      { method: 'call', input: 'stream', stream: true },
      {
        onChunk: () => {
          pieces += 1;
        },
      },
    );
    const failed = expect(call).rejects.toMatchObject({
      code: 'SERVICE_STOPPED',
      ids: { instance: expect.any(String) },
    });
    await until(() => pieces > 0, 'it has begun');
    await Promise.all(all.map((each) => each.close()));
    await failed;
    expect(asked.reduce((sum, one) => sum + one, 0)).toBe(1);
  });

  it('know where no instance can be reached from here', async () => {
    const { known } = await instances(1);
    expect(await client(known).reachable()).toBe(true);
    const elsewhere = known.map((one) => ({ ...one, endpoint: { ...one.endpoint, keyFile: '/nowhere/key' } }));
    expect(await client(elsewhere).reachable()).toBe(false);
  });
});
