import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPacked, NODE24, Product, REPO, runProgram } from './support/product.js';

const DENO = join(REPO, 'tools/kernels/node_modules/.bin/deno');
const PROGRAM = `
import { connect, defineService, PilothouseError } from '@pilothouse/sdk/node';
import { createTestSession } from '@pilothouse/sdk/testing';
import { toAsyncIterable } from '@pilothouse/sdk';
import { z } from 'zod';
const session = await connect();
const pilot = await session.pilots.ensure('demo', { cores: 1, runtime: '5m' });
const task = await session.tasks.submit({ command: ['sh', '-c', 'echo hello; echo more >&2'], pilot });
const { stdout, exitCode } = await task.result({ timeout: '30s' });
console.log(stdout.trim(), exitCode, task.state);
const lines = [];
for await (const text of toAsyncIterable(task.stderr$)) lines.push(text.trim());
console.log(lines.join());
try { await session.services.get('none'); } catch (error) { console.log(error instanceof PilothouseError, error.code); }
await session.close();
const test = createTestSession();
console.log((await (await test.session.services.ensure('x')).chat('Hi').result()).text);
await test.session.services.start('fit', { command: ['serve'], api: 'zeromq' });
const fit = test.session.services.get(defineService({ name: 'fit', input: z.number(), output: z.number() }));
console.log(await fit.call(41).result());
await test.session.close();
`;
const EXPECTED = ['hello 0 DONE', 'more', 'true SERVICE_NOT_FOUND', 'Hello, world.', '41', ''].join('\n');

let folder: string;
let product: Product;
beforeAll(() => {
  folder = mkdtempSync('/tmp/ph-packed-');
  installPacked(folder);
  writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}');
  writeFileSync(join(folder, 'program.mjs'), PROGRAM);
  writeFileSync(join(folder, 'deno.json'), '{"nodeModulesDir":"manual"}');
  product = new Product();
});
afterAll(async () => {
  await product.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe('the packed SDK', () => {
  it.each([
    ['this Node', [process.execPath, 'program.mjs']],
    ['Node 24', [NODE24, 'program.mjs']],
  ])('runs on %s', async (_name, argv) => {
    const { code, stdout, stderr } = await runProgram(argv, { cwd: folder, env: product.env });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: EXPECTED, stderr: '' });
  });

  it.runIf(existsSync(DENO))('runs on Deno', async () => {
    const argv = [DENO, 'run', '--quiet', '--no-lock', '--allow-all', 'program.mjs'];
    const { code, stdout, stderr } = await runProgram(argv, { cwd: folder, env: product.env });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: EXPECTED, stderr: '' });
  });

  it('can be required, as tslab does', async () => {
    writeFileSync(
      join(folder, 'required.cjs'),
      "const { connect } = require('@pilothouse/sdk/node'); const { show } = require('@pilothouse/sdk/notebook'); console.log(typeof connect, typeof show);",
    );
    const { stdout, code } = await runProgram([process.execPath, 'required.cjs'], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'function function\n' });
  });
});
