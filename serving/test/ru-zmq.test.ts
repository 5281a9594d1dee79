import { RemoteError } from '@pilothouse/sdk/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdapters } from '../src/index.js';
import { ask } from './support/ask.js';
import { type Peer, startRuServer } from './support/peers.js';
import { targetAt } from './support/targets.js';

describe('ru.zmq, with the real server of radical.utils', () => {
  const adapters = createAdapters();
  const { 'ru-zmq': ru } = adapters.byApi;
  let peer: Peer;

  beforeAll(async () => {
    peer = await startRuServer();
  }, 160_000);
  afterAll(async () => {
    adapters.close();
    await peer?.stop();
  });

  const target = () => targetAt(`tcp://127.0.0.1:${peer.ports[0]}`, { name: 'agent' });
  const call = (method: string, input: unknown, signal?: AbortSignal) =>
    ask(ru, target(), { op: 'call', method, input }, {}, signal);

  it('calls with arguments in order, by name, both, and one alone', async () => {
    expect((await call('scale', [[1, 2], 3])).value).toEqual([3, 6]);
    expect((await call('scale', { values: [1, 2], factor: 2 })).value).toEqual([2, 4]);
    expect((await call('scale', { args: [[5]], kwargs: { factor: 2 } })).value).toEqual([10]);
    expect((await call('echo', 'naïve')).value).toBe('naïve');
  });

  it('what a method raises keeps its traceback; one that is not there is told apart', async () => {
    const error = await call('fail', ['x']).catch((raised: unknown) => raised);
    expect(error).toMatchObject({
      code: 'FUNCTION_RAISED',
      message: 'fail of agent failed: task failed successfully',
      evidence: expect.stringContaining('_request_fail'),
      cause: expect.any(RemoteError),
    });
    await expect(call('nope', [])).rejects.toMatchObject({ code: 'METHOD_NOT_FOUND' });
  });

  it('is well while it answers an echo', async () => {
    expect(await ru.check(target(), AbortSignal.timeout(30_000))).toBe('answers an echo');
  });

  it('a call that takes too long, and one whose server dies, end', async () => {
    const late = new AbortController();
    const waiting = call('sleep', [600], late.signal);
    late.abort(new Error('too late'));
    await expect(waiting).rejects.toThrow('too late');
    const cut = call('sleep', [600]);
    await Promise.all([expect(cut).rejects.toMatchObject({ message: expect.stringContaining('agent') }), peer.stop()]);
    await expect(call('echo', [1])).rejects.toMatchObject({
      code: 'SERVICE_UNREACHABLE',
      message: expect.stringContaining('nothing listens there'),
    });
  });
});
