import { attachDescriptionSchema, newId, requestSchema, type ServiceRequestInput } from '@pilothouse/sdk/internal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Peer, startMlserver, startRuServer } from '../../../serving/test/support/peers.js';
import { type Connected, TestHome } from '../support/bridge.js';
import { ORIGIN } from './harness.js';

describe('servers of other APIs, attached to a bridge', () => {
  let home: TestHome;
  let client: Connected['client'];
  let [mlserver, ru]: [Peer | undefined, Peer | undefined] = [undefined, undefined];

  beforeAll(async () => {
    home = await TestHome.make();
    [mlserver, ru, { client }] = await Promise.all([startMlserver(), startRuServer(), home.serve()]);
  }, 170_000);
  afterAll(async () => {
    await Promise.all([mlserver?.stop(), ru?.stop(), home?.close()]);
  });

  const attach = (url: string, more: object = {}) =>
    client.services.attach({
      description: attachDescriptionSchema.parse({ url, allowUnauthenticated: true, ...more }),
      origin: ORIGIN,
      key: newId('key'),
    });

  async function ask(service: string, request: ServiceRequestInput) {
    const asked = await client.answers.ask({
      service,
      request: requestSchema.parse(request),
      options: { timeout: '30s' },
      origin: ORIGIN,
      key: newId('key'),
    });
    const pieces: unknown[] = [];
    for await (const { chunks, answer } of await client.answers.follow({ id: asked.id, from: 0 })) {
      pieces.push(...chunks.map(({ data }) => data));
      if (answer?.endedAt != null) return { ...answer, pieces };
    }
    throw new Error('the stream ended before the answer');
  }

  test('Open Inference: found by itself, tensors as a value and in pieces', async () => {
    const service = await attach(mlserver?.url ?? '', { name: 'doubler' });
    expect(service).toMatchObject({ api: 'open-inference', state: 'READY', model: 'doubler', openToNode: true });
    const x = { name: 'x', shape: [2], datatype: 'FP32' as const, data: [1, 2] };
    const whole = await ask('doubler', { op: 'infer', inputs: [x] });
    expect(whole).toMatchObject({
      state: 'DONE',
      value: [{ name: 'x-out', data: [2, 4] }],
      model: 'doubler',
      revision: '7',
      timing: { total: expect.any(Number), inference: null },
    });
    const streamed = await ask('doubler', { op: 'infer', inputs: [x], stream: true });
    expect(streamed.pieces).toMatchObject([[{ data: [2] }], [{ data: [4] }]]);
    expect(await client.services.probe({ ref: 'doubler' })).toMatchObject({ state: 'READY' });
    await mlserver?.stop();
    expect(await client.services.probe({ ref: 'doubler' })).toMatchObject({
      state: 'UNAVAILABLE',
      instances: [{ reason: { text: expect.stringContaining('nothing listens there') } }],
    });
  });

  test('ru.zmq: found by its greeting; a call that takes too long ends', async () => {
    const service = await attach(`tcp://127.0.0.1:${ru?.ports[0]}`, { name: 'agent' });
    expect(service).toMatchObject({ api: 'ru-zmq', model: null });
    const said = await ask('agent', { op: 'call', method: 'scale', input: { values: [1, 2], factor: 2 } });
    expect(said).toMatchObject({ state: 'DONE', value: [2, 4], text: '' });
    expect(await ask('agent', { op: 'call', method: 'fail', input: ['x'] })).toMatchObject({
      state: 'FAILED',
      error: { code: 'FUNCTION_RAISED', evidence: expect.stringContaining('task failed successfully') },
    });
    expect(await client.answers.search({ text: 'scale', service: 'agent' })).toMatchObject({ total: 1 });
  });
});
