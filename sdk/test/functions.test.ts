import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { BridgeApi } from '../src/client/api.js';
import { PilothouseError, RemoteError } from '../src/errors/index.js';
import { defineFunction, type Session, type StandardSchema } from '../src/index.js';
import { createTestSession } from '../src/testing/index.js';
import { memory } from './support/memory.js';
import { eventually, serve } from './support/sessions.js';

const functions = {
  'scoring:score': (well: string) => well.length,
  'scoring:fail': () => {
    throw new TypeError('no such well');
  },
  tile: (x: number, y: number) => [x, y],
  'stats:mean': (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length,
  'odd:text': () => 'not a number',
};

const score = defineFunction({ python: 'scoring:score', input: z.string().min(1), output: z.number() });
const fail = defineFunction({ python: 'scoring:fail' });
const tile = defineFunction({
  module: 'file:///home/me/tile.ts',
  export: 'tile',
  input: z.tuple([z.number(), z.number()]),
  output: z.array(z.number()),
});
const mean = defineFunction({ python: 'stats:mean', input: z.array(z.number()), output: z.number() });

async function within(run: (session: Session) => Promise<void>): Promise<void> {
  const { session } = createTestSession({ functions });
  try {
    await run(session);
  } finally {
    await session.close();
  }
}

describe('run', () => {
  it('gives the typed value of a call, of one argument, several, or a list', () =>
    within(async (session) => {
      const call = session.tasks.run(score, 'A01');
      expect(call).toMatchObject({ kind: 'call', name: 'scoring.score', state: 'NEW' });
      expect(await call.result()).toBe(3);
      expect(call.state).toBe('DONE');
      expect(await session.tasks.run(tile, 1, 2).result()).toEqual([1, 2]);
      expect(await session.tasks.run(mean, [1, 2, 3]).result()).toBe(2);
      const task = await call.task();
      expect(task.id).toBe(call.id);
      expect(task.value).toBe(3);
      expect((await task.result()).value).toBe(3);
    }));

  it('rejects with the exception, its type and its traceback', () =>
    within(async (session) => {
      const call = session.tasks.run(fail, 'A01');
      const error: unknown = await call.result().catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'FUNCTION_RAISED', message: 'TypeError: no such well' });
      const cause = error instanceof Error ? error.cause : null;
      expect(cause).toBeInstanceOf(RemoteError);
      expect(cause).toMatchObject({ type: 'TypeError', message: 'no such well', traceback: expect.any(String) });
      expect(await call.done()).toMatchObject({
        state: 'FAILED',
        value: undefined,
        error: { code: 'FUNCTION_RAISED' },
      });
      await expect((await call.task()).result()).rejects.toMatchObject({ code: 'FUNCTION_RAISED' });
    }));

  it('checks values on both ends', () =>
    within(async (session) => {
      await expect(session.tasks.run(score, '').result()).rejects.toMatchObject({
        code: 'INVALID_DESCRIPTION',
        field: 'input',
      });
      const odd = defineFunction({ python: 'odd:text', output: z.number() });
      await expect(session.tasks.run(odd).result()).rejects.toMatchObject({ code: 'INVALID_RESULT', field: 'output' });
      const later: StandardSchema<string, string> = {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: async (value) =>
            typeof value === 'string' ? { value: `${value}!` } : { issues: [{ message: 'no text', path: ['x'] }] },
        },
      };
      const slow = defineFunction({ python: 'scoring:score', input: later });
      expect(await session.tasks.run(slow, 'A01').result()).toBe(4);
      const set = await session.tasks.map(slow, ['a', 'bb']);
      expect(await set.results()).toEqual([2, 3]);
      const wrong: unknown = 5;
      const untyped = defineFunction({ python: 'scoring:score', input: later as StandardSchema<unknown, unknown> });
      await expect(session.tasks.run(untyped, wrong).result()).rejects.toMatchObject({ field: 'input.x' });
    }));

  it('sends what is called in one turn together, into one open set', async () => {
    const { api, bridge } = memory({ functions });
    const { server, session, end } = await serve(() => api);
    await session.tasks.run(score, 'first').result();
    const before = server.calls.filter((call) => call.startsWith('sets/')).length;
    const calls = Array.from({ length: 1000 }, (_, index) => session.tasks.run(score, `A${index}`));
    const values = await Promise.all(calls.map((call) => call.result()));
    expect(values[999]).toBe('A999'.length);
    expect(server.calls.filter((call) => call.startsWith('sets/')).length - before).toBe(1);
    expect(new Set(calls.map(({ id }) => id.split('.')[0])).size).toBe(1);
    expect(session.tasks.run(score.with({ cores: 2 }), 'x').name).toBe('scoring.score');
    await end();
    expect(bridge.list('set', true).map(({ open, counts }) => [open, counts.total])).toEqual([
      [false, 1001],
      [false, 1],
    ]);
  });

  it('loses no call to a piece that is refused, nor to a set that somebody cancels', async () => {
    const { api, bridge } = memory({ functions });
    let refuse = false;
    const strict: BridgeApi = {
      ...api,
      sets: {
        ...api.sets,
        add: async (...given) => {
          if (refuse && given[0].tasks.length > 0) {
            refuse = false;
            throw new PilothouseError('DISK_FULL', 'the disk is full');
          }
          return api.sets.add(...given);
        },
      },
    };
    const { session, end } = await serve(() => strict);
    const first = session.tasks.run(score, 'a');
    await first.result();
    refuse = true;
    const lost = session.tasks.run(score, 'bb');
    const told = lost.result().catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    const next = session.tasks.run(score, 'ccc');
    expect(await told).toMatchObject({ code: 'DISK_FULL' });
    expect(await next.result()).toBe(3);
    const [current] = bridge.list('set', false);
    await (await session.tasks.set(current?.id ?? '')).cancel();
    await eventually(() => session.picture.sets.every(({ open }) => !open), 'the set is seen closed');
    expect(await session.tasks.run(score, 'dddd').result()).toBe(4);
    await end();
  });

  it('says CLOSED to whoever waits when the session is closed', async () => {
    const { session } = createTestSession({ functions: { 'never:ends': () => new Promise(() => undefined) } });
    const never = defineFunction({ python: 'never:ends' });
    const call = session.tasks.run(never);
    const told = call.result().catch((error: unknown) => error);
    await eventually(() => call.id !== '', 'it has been taken');
    await session.close();
    expect(await told).toMatchObject({ code: 'CLOSED' });
  });

  it('can be canceled and explained', async () => {
    const { session } = createTestSession({ functions: { 'never:ends': () => new Promise(() => undefined) } });
    const call = session.tasks.run(defineFunction({ python: 'never:ends' }));
    expect(await call.explain()).toContain('NEW');
    await call.cancel();
    expect(await call.done()).toMatchObject({ state: 'CANCELED', error: { code: 'TASK_CANCELED' } });
    await expect(call.result({ timeout: '5s' })).rejects.toMatchObject({ code: 'TASK_CANCELED' });
    await session.close();
  });
});

describe('map', () => {
  it('gives values in the order of the items', () =>
    within(async (session) => {
      const set = await session.tasks.map(score, ['a', 'bb', 'ccc'], { name: 'scores', cores: 2 });
      expect(await set.results()).toEqual([1, 2, 3]);
      expect(set.name).toBe('scores');
      expect((await set.task(0)).record.description).toMatchObject({ cores: 2 });
      const tiles = await session.tasks.map(
        tile,
        new Set<[number, number]>([
          [1, 2],
          [3, 4],
        ]),
      );
      expect(await tiles.results()).toEqual([
        [1, 2],
        [3, 4],
      ]);
      async function* source() {
        yield 'x';
        yield 'yy';
      }
      expect(await (await session.tasks.map(score, source())).results()).toEqual([1, 2]);
      expect(await (await session.tasks.map(score, [])).results()).toEqual([]);
    }));

  it('stops at the first item that is not what the function takes', () =>
    within(async (session) => {
      await expect(session.tasks.map(score, ['a', ''])).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION' });
    }));
});

describe('defineFunction', () => {
  it.each([
    ['a function of this program', () => undefined],
    ['a module in memory', { module: 'data:text/javascript,1', export: 'x' }],
    ['a module by its bare name', { module: 'tile', export: 'x' }],
    ['a module without an export', { module: '/x/tile.ts' }],
    ['nothing', {}],
  ])('refuses %s, and says how to send it', (_what, given) => {
    expect(() => Reflect.apply(defineFunction, undefined, [given])).toThrow(
      expect.objectContaining({ code: 'FUNCTION_NOT_SENDABLE', hint: expect.stringContaining('into a file') }),
    );
  });

  it('refuses names that Python cannot import', () => {
    expect(() => defineFunction({ python: 'scoring.<lambda>' })).toThrow(
      expect.objectContaining({ code: 'INVALID_DESCRIPTION', field: 'python' }),
    );
  });

  const circle: unknown[] = [];
  circle.push(circle);
  it.each([
    ['a function', () => 1, 'input.0'],
    ['undefined in a list', [1, undefined], 'input.0.1'],
    ['a class', { at: new Date(0) }, 'input.0.at'],
    ['bytes', new Uint8Array(2), 'input.0'],
    ['not a number', [Number.NaN], 'input.0.0'],
    ['a big integer', 1n, 'input.0'],
  ])('refuses %s among the arguments, with its place', (_what, value, field) =>
    within(async (session) => {
      await expect(session.tasks.run(fail, value).result()).rejects.toMatchObject({
        code: 'FUNCTION_NOT_SENDABLE',
        field,
      });
    }),
  );

  it('refuses circles, and more than a message takes', () =>
    within(async (session) => {
      await expect(session.tasks.run(fail, circle).result()).rejects.toMatchObject({ code: 'FUNCTION_NOT_SENDABLE' });
      await expect(session.tasks.run(fail, 'x'.repeat(5_000_000)).result()).rejects.toMatchObject({
        code: 'INVALID_DESCRIPTION',
        hint: expect.stringContaining('file'),
      });
    }));
});
