import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { initWorkspace } from '../src/cli/init/index.js';

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'ph-init-'));
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

describe('initWorkspace', () => {
  test('makes a folder in which the SDK, rxjs, zod and the types of Node resolve', async () => {
    const directory = join(scratch, 'new', 'workspace');
    const report = await initWorkspace(directory);
    expect(report.created).toEqual(['package.json', 'deno.json', 'tsconfig.json']);
    expect(report.packages.map(({ name, action }) => [name, action])).toEqual([
      ['@pilothouse/sdk', 'linked'],
      ['rxjs', 'linked'],
      ['zod', 'linked'],
      ['@types/node', 'linked'],
    ]);
    for (const { name, version } of report.packages) {
      const manifest: unknown = JSON.parse(readFileSync(join(directory, 'node_modules', name, 'package.json'), 'utf8'));
      expect(manifest).toMatchObject({ name, version });
    }
  });

  test('changes nothing when it runs again', async () => {
    await initWorkspace(scratch);
    const report = await initWorkspace(scratch);
    expect(report.created).toEqual([]);
    expect(report.packages.map(({ action }) => action)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
    expect(readdirSync(join(scratch, 'node_modules')).sort()).toEqual(['@pilothouse', '@types', 'rxjs', 'zod']);
  });

  test('keeps files that are there, whatever they hold', async () => {
    writeFileSync(join(scratch, 'package.json'), 'mine, and not even JSON');
    const report = await initWorkspace(scratch);
    expect(report.kept).toEqual(['package.json']);
    expect(readFileSync(join(scratch, 'package.json'), 'utf8')).toBe('mine, and not even JSON');
  });

  test('mends a link to an installation that has moved', async () => {
    mkdirSync(join(scratch, 'node_modules'));
    symlinkSync(join(scratch, 'gone'), join(scratch, 'node_modules', 'zod'));
    const report = await initWorkspace(scratch);
    const zod = report.packages.find(({ name }) => name === 'zod');
    expect(zod?.action).toBe('linked');
    expect(readlinkSync(join(scratch, 'node_modules', 'zod'))).toBe(zod?.directory);
  });

  test('keeps a package that the user installed, and says what that means', async () => {
    const own = join(scratch, 'node_modules', 'rxjs');
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'package.json'), JSON.stringify({ name: 'rxjs', version: '6.0.0' }));
    const report = await initWorkspace(scratch);
    expect(lstatSync(own).isDirectory()).toBe(true);
    expect(report.warnings).toEqual([expect.stringContaining('node_modules/rxjs is version 6.0.0')]);
  });

  test('a file in place of the folder is named, with what to do', async () => {
    const file = join(scratch, 'notes.txt');
    writeFileSync(file, '');
    await expect(initWorkspace(file)).rejects.toMatchObject({
      code: 'INVALID_DESCRIPTION',
      field: 'directory',
      hint: expect.stringContaining('folder'),
    });
  });
});
