import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asModule, cellsOf } from './support/notebook.js';
import { installPacked, REPO, runProgram } from './support/product.js';

const EXAMPLES = ['first-light-tslab', 'tasks-tslab', 'services-tslab'];
const ENTRIES = ['index', 'node/index', 'browser/index', 'notebook/index', 'testing/index'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync('/tmp/ph-types-');
  installPacked(folder);
  copyFileSync(join(import.meta.dirname, 'types/program.ts'), join(folder, 'program.ts'));
  for (const name of EXAMPLES) writeFileSync(join(folder, `${name}.ts`), asModule(cellsOf(name)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('types of the packed SDK', () => {
  it.each([
    // As tslab compiles its cells: its own TypeScript (5.0.4), resolution that does not know `exports`.
    [
      'tslab',
      'tools/kernels/node_modules/@tslab/typescript-for-tslab',
      { module: 'commonjs', moduleResolution: 'node', strict: false, lib: ['es2022'] },
    ],
    ['Node', 'node_modules/typescript', { module: 'nodenext', moduleResolution: 'nodenext' }],
    [
      'bundlers',
      'node_modules/typescript',
      { module: 'esnext', moduleResolution: 'bundler', exactOptionalPropertyTypes: true },
    ],
  ])('compile as %s compiles, and wrong uses do not', async (name, compiler, options) => {
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022', 'dom'],
      strict: true,
      ...options,
      noEmit: true,
      skipLibCheck: true,
      esModuleInterop: true,
      types: ['node'],
    };
    const files = ['program.ts', ...(name === 'tslab' ? EXAMPLES.map((example) => `${example}.ts`) : [])];
    const config = join(folder, `tsconfig.${name}.json`);
    writeFileSync(config, JSON.stringify({ compilerOptions, files }));
    const tsc = join(REPO, compiler, 'lib/tsc.js');
    const { code, stdout } = await runProgram([process.execPath, tsc, '-p', config], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  it('mention nothing of the RPC layer', () => {
    const lib = join(REPO, 'sdk/lib');
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(file, 'utf8');
      for (const [, specifier = ''] of text.matchAll(/(?:from|import)\s*\(?['"]([^'"]+)['"]/g)) {
        if (!specifier.startsWith('.')) packages.add(specifier);
        else visit(resolve(dirname(file), specifier.replace(/\.js$/, '.d.ts')));
      }
    };
    for (const entry of ENTRIES) visit(join(lib, `${entry}.d.ts`));
    expect(seen.size).toBeGreaterThan(10);
    expect([...packages].sort()).toEqual(['rxjs', 'zod']);
  });

  it('has every entry in exports and, for resolution that does not know them, in typesVersions', () => {
    const { exports, typesVersions, main, types } = JSON.parse(readFileSync(join(REPO, 'sdk/package.json'), 'utf8'));
    for (const [name, target] of Object.entries<{ types: string; default: string } | string>(exports)) {
      if (typeof target === 'string') continue;
      for (const file of Object.values(target)) expect(existsSync(join(REPO, 'sdk', file)), file).toBe(true);
      if (name !== '.') expect(typesVersions['*'][name.slice(2)]).toEqual([target.types]);
    }
    expect([main, types]).toEqual(['./lib/index.js', './lib/index.d.ts']);
  });

  it('tells its own version', async () => {
    const { VERSION } = await import('../src/client/version.js');
    expect(VERSION).toBe(JSON.parse(readFileSync(join(REPO, 'sdk/package.json'), 'utf8')).version);
  });
});
