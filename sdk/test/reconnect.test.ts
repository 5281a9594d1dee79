import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BridgeApi } from '../src/client/api.js';
import { newId } from '../src/ids/ids.js';
import { testAnswer, testTask } from '../src/testing/index.js';
import { memory } from './support/memory.js';
import { eventually, type Served, serve } from './support/sessions.js';

const unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});

afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

async function with_<T>(served: Served, run: (served: Served) => Promise<T>): Promise<T> {
  try {
    return await run(served);
  } finally {
    await served.end();
  }
}

describe('reconnecting', () => {
  it('answers a call that was made while nobody listened', async () => {
    const { api } = memory();
    await with_(await serve(() => api), async ({ server, session }) => {
      await session.ready();
      await server.stop();
      await eventually(() => session.connection.state === 'RECONNECTING', 'the loss is noticed');
      expect(session.connection.error?.code).toMatch(/CONNECTION_LOST|BRIDGE_UNREACHABLE/);
      const late = session.pilots.list();
      await server.start();
      expect(await late).toEqual([]);
      expect(session.connection.state).toBe('CONNECTED');
    });
  });

  it('repeats a submit whose answer was lost, and gets the same thing', async () => {
    const { api, bridge } = memory();
    await with_(await serve(() => api), async ({ server, session }) => {
      await session.ready();
      let cuts = 0;
      server.beforeSend = (message) => {
        if (cuts > 0 || !message.includes('"kind":"pilot"')) return true;
        cuts += 1;
        return false;
      };
      const pilot = await session.pilots.submit({ cores: 1 });
      expect(cuts).toBe(1);
      expect(bridge.list('pilot', true).map(({ id }) => id)).toEqual([pilot.id]);
    });
  });

  it('loses and doubles no chunk of an answer, wherever the connection breaks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 25 }),
        fc.array(fc.nat(30), { maxLength: 6 }),
        async (pieces, cuts) => {
          const { api, bridge } = memory();
          await with_(await serve(() => api), async ({ server, session }) => {
            const id = bridge.put(testAnswer({ id: newId('answer') })).id;
            await session.ready();
            const remaining = new Set(cuts);
            let sent = 0;
            server.beforeSend = () => !remaining.delete(sent++);
            const answer = await session.answers.get(id);
            const seen: string[] = [];
            const read = answer.forEach(({ text }) => {
              seen.push(text);
            });
            for (const piece of pieces) {
              bridge.say(id, piece);
              await new Promise((resolve) => setImmediate(resolve));
            }
            bridge.move(id, 'DONE', { timing: { ...TIMING }, finishReason: 'stop' });
            await read;
            expect(seen).toEqual(pieces);
            expect((await answer.result()).text).toBe(pieces.join(''));
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('ends with the right picture, wherever the connection breaks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(5), fc.constantFrom('RUNNING', 'DONE', 'FAILED', 'removed')), { maxLength: 30 }),
        fc.array(fc.nat(20), { maxLength: 5 }),
        async (steps, cuts) => {
          const { api, bridge } = memory();
          await with_(await serve(() => api), async ({ server, session }) => {
            await session.ready();
            const remaining = new Set(cuts);
            let sent = 0;
            server.beforeSend = () => !remaining.delete(sent++);
            const ids = Array.from({ length: 6 }, () => newId('task'));
            for (const [index, state] of steps) {
              const id = ids[index] ?? '';
              const known = bridge.list('task', true).some((task) => task.id === id);
              if (state === 'removed') known && bridge.remove(id);
              else if (known) bridge.move(id, state);
              else bridge.put(testTask({ id, state: 'RUNNING' }));
              await new Promise((resolve) => setImmediate(resolve));
            }
            const truth = () =>
              bridge
                .list('task', true)
                .map(({ id, state }) => `${id} ${state}`)
                .sort();
            const seen = () => session.picture.tasks.map(({ id, state }) => `${id} ${state}`).sort();
            await eventually(() => truth().join() === seen().join(), 'the picture is right');
          });
        },
      ),
      { numRuns: 20 },
    );
  });

  it('a frame that is no RPC costs a reconnect, and neither process nor calls', async () => {
    const { api } = memory();
    await with_(await serve(() => api), async ({ server, session }) => {
      await session.ready();
      server.sendRaw('not json');
      await eventually(() => server.connections === 2, 'it connects again');
      expect(await session.tasks.list()).toEqual([]);
    });
  });

  it('does not come back from another version until it is asked to', async () => {
    const { api } = memory();
    const { PilothouseError } = await import('../src/errors/index.js');
    let refuse = true;
    const strict: BridgeApi = {
      ...api,
      system: {
        ...api.system,
        hello: async (...given) => {
          if (refuse) throw new PilothouseError('VERSION_MISMATCH', 'too old', { hint: 'update' });
          return api.system.hello(...given);
        },
      },
    };
    await with_(await serve(() => strict), async ({ server, session }) => {
      await expect(session.pilots.list()).rejects.toMatchObject({ code: 'VERSION_MISMATCH', hint: 'update' });
      expect(session.connection.error?.code).toBe('VERSION_MISMATCH');
      expect(server.connections).toBe(1);
      refuse = false;
      session.reconnect();
      await eventually(() => session.connection.state === 'CONNECTED', 'it connects');
      expect(await session.pilots.list()).toEqual([]);
    });
  });

  it('closing ends everything that waits, with CLOSED', async () => {
    const { api, bridge } = memory();
    const served = await serve(() => api);
    await with_(served, async ({ session }) => {
      await session.ready();
      const { id } = bridge.put(testTask());
      const task = await session.tasks.get(id);
      const waits = [task.done(), task.until('DONE'), task.result()];
      const settled = Promise.allSettled(waits);
      await session.close();
      for (const wait of await settled) expect(wait).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } });
      await expect(session.tasks.list()).rejects.toMatchObject({ code: 'CLOSED' });
    });
  });
});

const TIMING = {
  total: 1,
  client: null,
  communication: 0,
  queue: 0,
  service: 0,
  inference: 1,
  ttft: null,
  gaps: null,
  tokensPerSecond: null,
};
