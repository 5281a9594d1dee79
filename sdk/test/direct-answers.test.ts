import fc from 'fast-check';
import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { LiveSession } from '../src/client/session.js';
import { PilothouseError } from '../src/errors/index.js';
import type { DirectCaller, DirectCallOptions, DirectOutcome } from '../src/service-definition/direct.js';
import { MemoryConnector } from '../src/testing/memory-connector.js';
import { testService } from '../src/testing/records.js';
import { memory } from './support/memory.js';

const INSTANCE = { id: 'instance-0000000000', index: 2 };
const HELLO = {
  protocol: 1,
  version: 'test',
  epoch: 1,
  host: 'h',
  user: 'u',
  home: '/',
  startedAt: '2026-01-01T00:00:00Z',
};

type Answering = (input: unknown, options: DirectCallOptions) => Promise<unknown>;

/** A session whose direct calls `answer` takes; undefined where there is no way. */
function directSession(answer: Answering | undefined) {
  const { bridge, api } = memory({ reply: () => 'through the bridge' });
  const service = bridge.put(testService({ name: 'fit', api: 'zeromq' }));
  let closed = false;
  const direct: DirectCaller = {
    async call(_record, { input }, options): Promise<DirectOutcome | undefined> {
      if (!answer) return undefined;
      options.onStart?.(INSTANCE);
      const value = await answer(input, options);
      return { value, instance: INSTANCE, waited: 2, ran: 5, total: 10 };
    },
    close: () => {
      closed = true;
    },
  };
  const connector = new MemoryConnector(api, HELLO);
  const session = new LiveSession(connector, () => ({ name: 'test', kind: 'node', env: {} }), { direct });
  return { session, service, bridge, isClosed: () => closed };
}

describe('direct calls', () => {
  it('give value, instance and timing, and are no part of the picture', async () => {
    const { session, bridge, isClosed } = directSession(async (input) => ({ got: input }));
    const fit = await session.services.get('fit');
    const answer = fit.call('call', [1, 2]);
    expect(await answer.result()).toEqual({ got: [1, 2] });
    expect(answer).toMatchObject({ state: 'DONE', instance: 2 });
    expect(answer.id).toMatch(/^answer-/);
    expect(answer.timing).toMatchObject({ total: 10, queue: 2, inference: 5, communication: 3 });
    expect(bridge.list('answer', true)).toEqual([]);
    expect(await answer.retry().result()).toEqual({ got: [1, 2] });
    await session.close();
    expect(isClosed()).toBe(true);
  });

  it('go through the bridge where there is no way, or where that is asked for', async () => {
    const without = directSession(undefined);
    const fit = await without.session.services.get('fit');
    expect(await fit.call('call', 1).result()).toBe('through the bridge');
    expect(without.bridge.list('answer', true)).toHaveLength(1);
    await without.session.close();
    const { session } = directSession(async () => 'direct');
    const kept = (await session.services.get('fit')).call('call', 1, { direct: false });
    expect(await kept.result()).toBe('through the bridge');
    await session.close();
  });

  it('give every piece once and in order, whoever looks and whenever', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 12 }), fc.boolean(), async (pieces, late) => {
        const { session } = directSession(async (_input, { onChunk }) => {
          for (const piece of pieces) await onChunk?.(piece);
          return pieces.length;
        });
        const answer = (await session.services.get('fit')).call('rows', null, { stream: true });
        if (late) await answer.done();
        const seen = lastValueFrom(answer.chunks$.pipe(toArray()));
        expect(await answer.result()).toBe(pieces.length);
        expect((await seen).map(({ data }) => data)).toEqual(pieces);
        await session.close();
      }),
      { numRuns: 30 },
    );
  });

  it('that fail say what the instance said', async () => {
    const { session } = directSession(async () => {
      throw new PilothouseError('FUNCTION_RAISED', 'ValueError: no dose', { evidence: 'Traceback …' });
    });
    const answer = (await session.services.get('fit')).call('call', 1);
    await expect(answer.result()).rejects.toMatchObject({ code: 'FUNCTION_RAISED', evidence: 'Traceback …' });
    expect(answer.state).toBe('FAILED');
    await session.close();
  });

  it('are canceled at the instance when they are stopped or take too long', async () => {
    const aborted: unknown[] = [];
    const { session } = directSession(
      (_input, { signal }) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            aborted.push(signal.reason);
            reject(signal.reason);
          });
        }),
    );
    const fit = await session.services.get('fit');
    const stopped = fit.call('call', 1);
    await stopped.stop();
    expect(await stopped.done()).toMatchObject({ state: 'CANCELED' });
    await expect(stopped.result()).rejects.toMatchObject({ code: 'ANSWER_STOPPED' });
    const late = fit.call('call', 1, { timeout: '50ms' });
    await expect(late.result()).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(late.state).toBe('FAILED');
    expect(aborted).toHaveLength(2);
    await session.close();
  });
});
