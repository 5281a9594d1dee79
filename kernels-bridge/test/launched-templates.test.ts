import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceRecord } from '@pilothouse/sdk/internal';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDemo } from '../src/templates/demo-environment.js';
import { type Client, errorOf, eventually, newKey, origin, TestHome } from './support/bridge.js';

const REPO = fileURLToPath(new URL('../../', import.meta.url));
const demo = await findDemo({ given: process.env.PILOTHOUSE_DEMO_ENV, launcher: '/nonexistent' });
const mlserver = join(process.env.PILOTHOUSE_PEERS_ENV ?? join(REPO, '.pilothouse', 'peers'), 'bin', 'mlserver');

let place: TestHome;
let client: Client;
beforeAll(async () => {
  place = await TestHome.make();
  ({ client } = await place.serve());
  await client.pilots.ensure({ name: 'demo', description: { cores: 2, runtime: '10m' }, origin, key: newKey() });
});
afterAll(() => place.close());

const ready = (name: string) =>
  eventually(`${name} ready`, async () => {
    const service: ServiceRecord = await client.services.get({ ref: name });
    if (service.state === 'FAILED') throw new Error(service.error?.evidence ?? service.error?.message);
    return service.state === 'READY' && service;
  });

const answer = async (service: string, request: Parameters<Client['answers']['ask']>[0]['request']) => {
  const { id } = await client.answers.ask({ service, request, options: { maxTokens: 8 }, origin, key: newKey() });
  return eventually(`the answer of ${service}`, async () => {
    const now = await client.answers.get({ ref: id });
    return now.endedAt !== null && now;
  });
};

describe.skipIf(demo === null)('llama.cpp', () => {
  const params = { model: demo?.model ?? '', server: demo?.server ?? '', libraries: demo?.libraries.join(':') ?? '' };
  const ask = (more: object) => ({
    template: 'llama-cpp',
    params: { ...params, ctx: 1024, parallel: 2, ...more },
    resources: { cores: 1 },
  });

  it('is looked at before, started, and answers under the name of the service', async () => {
    const preview = await client.services.preview({ description: ask({}) });
    expect(preview.findings.filter(({ ok }) => !ok)).toEqual([]);
    expect(preview.findings.map(({ text }) => text).join('\n')).toMatch(/is a GGUF file \(\d+(\.\d+)? MiB\)/);
    expect(preview.command).toContain('{apiKeyFile}');
    await client.services.ensure({ name: 'tiny', description: ask({}), origin, key: newKey() });
    const service = await ready('tiny');
    expect(service).toMatchObject({
      model: 'tiny',
      openToNode: false,
      description: { resources: { cores: 1, gpus: 0 }, routing: { concurrency: 2 }, startTimeout: '15m' },
    });
    const said = await answer('tiny', { op: 'chat', messages: [{ role: 'user', content: 'Say hi.' }] });
    expect(said).toMatchObject({ state: 'DONE', error: null, model: 'tiny' });
    expect(said.usage?.completionTokens).toBeGreaterThan(0);
    await client.services.stop({ ref: 'tiny' });
  });

  it('is refused where its weights are not there, and told where it asks for more context than they were made for', async () => {
    const start = (description: object) => client.services.start({ description, origin, key: newKey() });
    expect(await errorOf(start(ask({ model: '/nowhere/model.gguf' })))).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      field: 'params.model',
      message: expect.stringContaining('/nowhere/model.gguf'),
    });
    const { findings } = await client.services.preview({ description: ask({ ctx: 1_000_000 }) });
    expect(findings).toContainEqual({
      ok: false,
      text: "a context of 500000 tokens is more than the model's 8192",
      remedy: 'Ask for at most 8192.',
    });
  });
});

describe('MLServer', () => {
  it('is started with a folder of models, on three ports, and shows its metrics', async () => {
    const folder = join(place.home, 'models');
    cpSync(join(REPO, 'serving', 'test', 'peers', 'mlserver'), folder, { recursive: true });
    const description = {
      template: 'mlserver',
      params: { folder, server: mlserver },
      resources: { cores: 1 },
      allowUnauthenticated: true,
    };
    await client.services.ensure({ name: 'models', description, origin, key: newKey() });
    const service = await ready('models');
    expect(service).toMatchObject({ api: 'open-inference', openToNode: true });
    expect(Object.keys(service.instances[0]?.endpoint?.ports ?? {}).sort()).toEqual(['grpc', 'http', 'metrics']);
    const metrics = await fetch(`${service.instances[0]?.endpoint?.ports.metrics}/metrics`);
    expect(metrics.status).toBe(200);
    await client.services.stop({ ref: 'models' });
  });
});
