import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdapters } from '../src/index.js';
import { ask } from './support/ask.js';
import { type Peer, startMlserver } from './support/peers.js';
import { targetAt } from './support/targets.js';

describe('Open Inference, with the real MLServer', () => {
  const adapters = createAdapters();
  const { 'open-inference': inference } = adapters.byApi;
  let peer: Peer;

  beforeAll(async () => {
    peer = await startMlserver();
  }, 160_000);
  afterAll(async () => {
    adapters.close();
    await peer?.stop();
  });

  const rest = () => targetAt(peer.url, { model: 'doubler', name: 'doubler' });
  const grpc = () => {
    const plain = rest();
    return { ...plain, endpoint: { ...plain.endpoint, ports: { grpc: `tcp://127.0.0.1:${peer.ports[1]}` } } };
  };
  const x = { name: 'x', shape: [3], datatype: 'FP32' as const, data: [1, 2, 3.5] };
  const doubled = { name: 'x-out', shape: [3], datatype: 'FP32', data: [2, 4, 7] };
  const ways = [
    ['REST', rest],
    ['gRPC', grpc],
  ] as const;

  it.each(ways)('%s: tensors in, tensors out, with model and version', async (_, target) => {
    const n = { name: 'n', shape: [2, 1], datatype: 'INT64' as const, data: [40, -3] };
    const t = { name: 't', shape: [2], datatype: 'BYTES' as const, data: ['naïve', '東京'] };
    const said = await ask(inference, target(), { op: 'infer', inputs: [x, n, t] });
    expect(said).toMatchObject({ model: 'doubler', revision: '7', started: true });
    expect(said.value).toEqual([
      doubled,
      { name: 'n-out', shape: [2], datatype: 'INT64', data: [80, -6] },
      { name: 't-out', shape: [2], datatype: 'BYTES', data: ['naïve', '東京'] },
    ]);
  });

  it.each(ways)('%s: an answer in pieces, whose end has no word of its own', async (_, target) => {
    const said = await ask(inference, target(), { op: 'infer', inputs: [x], stream: true });
    const piece = (value: number) => [{ ...doubled, shape: [1], data: [value] }];
    expect(said.data).toEqual([piece(2), piece(4), piece(7)]);
    expect(said).toMatchObject({ model: 'doubler', revision: '7', finishReason: 'stop' });
  });

  it.each(ways)('%s: what the model refuses, and a model that is not there', async (_, target) => {
    const bad = { ...x, name: 'bad' };
    await expect(ask(inference, target(), { op: 'infer', inputs: [bad] })).rejects.toMatchObject({
      code: 'REQUEST_REFUSED',
      message: expect.stringMatching(/doubler.*a tensor is called bad/),
    });
    await expect(ask(inference, { ...target(), model: 'nope' }, { op: 'infer', inputs: [x] })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    await expect(ask(inference, target(), { op: 'infer', inputs: [{ ...x, shape: [4] }] })).rejects.toMatchObject({
      code: 'UNSUPPORTED_FORMAT',
      field: 'request.inputs',
    });
  });

  it.each(ways)('%s: an abort ends the wait', async (_, target) => {
    const control = new AbortController();
    const slow = ask(inference, target(), { op: 'infer', inputs: [{ ...x, name: 'slow' }] }, {}, control.signal);
    // Something else is answered meanwhile, so the slow one is under way.
    await ask(inference, target(), { op: 'infer', inputs: [x] });
    control.abort(new Error('enough'));
    await expect(slow).rejects.toThrow('enough');
  });

  it('lists what it has loaded; a server that is well without the model is not ready', async () => {
    const signal = AbortSignal.timeout(30_000);
    expect(await inference.models(rest(), signal)).toEqual(['doubler']);
    expect(await inference.check(rest(), signal)).toBe('ready, and so is doubler');
    expect(await inference.check({ ...rest(), model: null }, signal)).toBe('ready, lists 1 model');
    await expect(inference.check({ ...rest(), model: 'nope' }, signal)).rejects.toMatchObject({
      code: 'SERVICE_NOT_READY',
      message: 'doubler runs, but its model "nope" is not ready',
    });
  });

  it('nothing listens: both ways say so in the same words', async () => {
    await peer.stop();
    for (const [, target] of ways) {
      await expect(ask(inference, target(), { op: 'infer', inputs: [x] })).rejects.toMatchObject({
        code: 'SERVICE_UNREACHABLE',
        message: expect.stringContaining('nothing listens there'),
      });
    }
  });
});
