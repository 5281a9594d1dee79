import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NdArray, ping } from '../src/direct/index.js';
import { defineService } from '../src/service/index.js';
import { after, connected, gate, served, targetOf, until } from './support/own-service.js';

const demo = defineService({
  name: 'demo',
  methods: {
    echo: { input: z.unknown(), output: z.unknown() },
    sum: { input: z.object({ x: z.array(z.number()), times: z.number().default(2) }), output: z.number() },
    wrong: { input: z.null(), output: z.number() },
    fail: { input: z.null(), output: z.null() },
    count: { input: z.number(), output: z.string(), chunk: z.number() },
    wait: { input: z.unknown(), output: z.string() },
    many: { input: z.number(), output: z.tuple([z.number(), z.number()]) },
  },
});

/** The demo, with what a test looks at. */
async function demonstration(more: object = {}) {
  const seen = { sent: 0, returned: 0, running: 0, most: 0, aborted: [] as unknown[] };
  const held = gate();
  after(held.open);
  const service = await served(demo, {
    handlers: {
      echo: (value) => value,
      sum: ({ x, times }) => x.reduce((a, b) => a + b, 0) * times,
      wrong: () => JSON.parse('"text"'),
      fail: () => {
        throw new TypeError('bad dose');
      },
      async *count(n) {
        try {
          for (; seen.sent < n; seen.sent += 1) yield seen.sent;
          return 'done';
        } finally {
          seen.returned += 1;
        }
      },
      async wait(_input, { signal }) {
        seen.running += 1;
        seen.most = Math.max(seen.most, seen.running);
        signal.addEventListener('abort', () => seen.aborted.push(signal.reason));
        await Promise.race([held.opened, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
        seen.running -= 1;
        return 'waited';
      },
      many: {
        batch: {
          max: 4,
          window: 60_000,
          handler: (inputs) => inputs.map((one) => (one < 0 ? new RangeError('negative') : [one, inputs.length])),
        },
      },
    },
    ...more,
  });
  return { service, seen, held, connection: connected(service) };
}

describe('a service of one’s own', () => {
  it('answers with values, checked on the way in and out', async () => {
    const { connection } = await demonstration();
    const { value, waited, ran, outstanding } = await connection.call({ method: 'sum', input: { x: [1, 2, 3] } });
    expect({ value, outstanding, reported: waited >= 0 && ran >= 0 }).toEqual({
      value: 12,
      outstanding: 0,
      reported: true,
    });
    await expect(connection.call({ method: 'sum', input: { x: [1, 'two'] } })).rejects.toMatchObject({
      code: 'INVALID_DESCRIPTION',
      field: 'input.x.1',
    });
    await expect(connection.call({ method: 'wrong', input: null })).rejects.toMatchObject({
      code: 'INVALID_RESULT',
      field: 'output',
    });
  });

  it('tells what a handler has thrown, with its stack', async () => {
    const { connection } = await demonstration();
    await expect(connection.call({ method: 'fail', input: null })).rejects.toMatchObject({
      code: 'FUNCTION_RAISED',
      message: 'demo.fail failed: TypeError: bad dose',
      evidence: expect.stringContaining('own-service.test'),
    });
    await expect(connection.call({ method: 'none', input: null })).rejects.toMatchObject({
      code: 'METHOD_NOT_FOUND',
      hint: 'Call one of: echo, sum, wrong, fail, count, wait, many.',
    });
  });

  it('carries arrays as they lie in memory', async () => {
    const { connection } = await demonstration();
    const input = { a: new Float64Array([1.5, Number.NaN]), deep: [{ m: new NdArray(new Int16Array(6), [2, 3]) }] };
    expect((await connection.call({ method: 'echo', input })).value).toEqual(input);
    await expect(connection.call({ method: 'echo', input: { at: Number.NaN } })).rejects.toMatchObject({
      code: 'INVALID_DESCRIPTION',
      field: 'value.at',
    });
  });

  it('streams no faster than its reader reads', async () => {
    const { connection, seen } = await demonstration();
    const reader = gate();
    const got: unknown[] = [];
    const call = connection.call({
      method: 'count',
      input: 1000,
      stream: true,
      onChunk: async (data) => {
        got.push(data);
        if (got.length === 1) await reader.opened;
      },
    });
    await until(() => seen.sent === 64, 'the credits are used up');
    await connection.ping();
    expect({ sent: seen.sent, got: got.length }).toEqual({ sent: 64, got: 1 });
    reader.open();
    expect((await call).value).toBe('done');
    expect(got).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  });

  it('gives the value alone to who takes no pieces', async () => {
    const { connection } = await demonstration();
    expect((await connection.call({ method: 'count', input: 3 })).value).toBe('done');
  });

  it('stops the work when its caller cancels', async () => {
    const { connection, seen } = await demonstration();
    const stop = new AbortController();
    const waiting = connection.call({ method: 'wait', input: null, signal: stop.signal });
    const counting = connection.call({
      method: 'count',
      input: 1e9,
      stream: true,
      signal: stop.signal,
      onChunk: () => {},
    });
    await until(() => seen.running === 1 && seen.sent > 0, 'both run');
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(counting).rejects.toThrow('enough');
    await until(() => seen.running === 0 && seen.returned === 1, 'both have ended');
    expect(seen.aborted).toMatchObject([{ code: 'ANSWER_STOPPED' }]);
  });

  it('stops the work when its caller goes', async () => {
    const { service, seen } = await demonstration();
    const gone = connected(service);
    const call = gone.call({ method: 'wait', input: null });
    await until(() => seen.running === 1, 'it runs');
    gone.close();
    await expect(call).rejects.toMatchObject({ code: 'CLOSED' });
    await until(() => seen.aborted.length === 1 && service.outstanding === 0, 'it is aborted');
  });

  it('takes calls side by side up to its limit, then lets them wait, then refuses', async () => {
    const { connection, seen, held } = await demonstration({ concurrency: 2, queue: 3 });
    const calls = Array.from({ length: 5 }, () => connection.call({ method: 'wait', input: null }));
    await expect(connection.call({ method: 'wait', input: null })).rejects.toMatchObject({
      code: 'QUEUE_FULL',
      retryable: true,
      retryAfter: expect.any(Number),
    });
    expect(await connection.ping()).toMatchObject({ outstanding: 5, queued: 3, concurrency: 2 });
    held.open();
    const replies = await Promise.all(calls);
    expect({ values: new Set(replies.map(({ value }) => value)), most: seen.most }).toEqual({
      values: new Set(['waited']),
      most: 2,
    });
  });

  it('handles calls in batches, and fails one of them alone', async () => {
    const { connection } = await demonstration();
    const calls = [1, -2, 3, 4].map((input) => connection.call({ method: 'many', input }));
    const settled = await Promise.allSettled(calls);
    const shown = settled.map((one) => (one.status === 'fulfilled' ? one.value.value : one.reason.message));
    expect(shown).toEqual([[1, 4], 'demo.many failed: RangeError: negative', [3, 4], [4, 4]]);
  });

  it('drains: takes nothing new, answers what it has, and batches wait for no more', async () => {
    const { connection, held, service, seen } = await demonstration({ drainTimeout: 60_000 });
    const waiting = connection.call({ method: 'wait', input: null });
    const batch = connection.call({ method: 'many', input: 7 });
    await until(() => seen.running === 1, 'it runs');
    const drained = service.drain();
    await expect(connection.call({ method: 'echo', input: 1 })).rejects.toMatchObject({ code: 'SERVICE_NOT_READY' });
    expect(await connection.ping()).toMatchObject({ ok: false, text: 'finishing', draining: true });
    expect((await batch).value).toEqual([7, 1]);
    held.open();
    expect((await waiting).value).toBe('waited');
    await drained;
  });

  it('says how it is and what it can do', async () => {
    let health: boolean | string = 'model loaded';
    const { service } = await demonstration({ health: () => health, version: '1.2' });
    const target = targetOf(service);
    const pong = await ping(target, { methods: true });
    expect(pong).toMatchObject({ ok: true, text: 'model loaded', name: 'demo', version: '1.2', outstanding: 0 });
    expect(pong.methods?.find(({ name }) => name === 'sum')).toMatchObject({
      input: { type: 'object', required: ['x'], properties: { times: { default: 2 } } },
      output: { type: 'number' },
      chunk: null,
    });
    health = false;
    expect(await ping(target)).toMatchObject({ ok: false, text: 'not healthy' });
  });
});
