import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasDevTools, matchesLock, withoutNpm } from '../setup/npm-packages.mjs';
import { fingerprint, isFresh, writeStamp } from '../setup/stamps.mjs';
import { sentences } from '../setup/still-running.mjs';
import { copyExamples } from '../setup/workspace.mjs';

let scratch;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'ph-setup-'));
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

function project({ lock, installed, folders = Object.keys(installed ?? {}) }) {
  writeFileSync(join(scratch, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...lock } }));
  for (const folder of folders) mkdirSync(join(scratch, folder), { recursive: true });
  if (installed)
    writeFileSync(join(scratch, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
}

const a = { version: '1.0.0', integrity: 'sha512-a' };
const b = { version: '2.0.0', integrity: 'sha512-b', dev: true };

describe('npm packages', () => {
  test('nothing installed is stale', () => {
    project({ lock: { 'node_modules/a': a } });
    expect(matchesLock(scratch, { dev: false })).toBe(false);
  });

  test('what the lock names, in its version, is fresh', () => {
    project({ lock: { 'node_modules/a': a, 'node_modules/b': b }, installed: { 'node_modules/a': a } });
    expect(matchesLock(scratch, { dev: false })).toBe(true);
    expect(matchesLock(scratch, { dev: true })).toBe(false);
    expect(hasDevTools(scratch)).toBe(false);
  });

  test('another version, another content or a missing folder is stale', () => {
    const lock = { 'node_modules/a': a };
    project({ lock, installed: { 'node_modules/a': { ...a, version: '0.9.0' } } });
    expect(matchesLock(scratch, { dev: false })).toBe(false);
    project({ lock, installed: { 'node_modules/a': { ...a, integrity: 'sha512-x' } } });
    expect(matchesLock(scratch, { dev: false })).toBe(false);
    project({ lock, installed: { 'node_modules/a': a } });
    rmSync(join(scratch, 'node_modules', 'a'), { recursive: true });
    expect(matchesLock(scratch, { dev: false })).toBe(false);
  });

  test('a build for another platform may be absent', () => {
    project({
      lock: { 'node_modules/a': a, 'node_modules/c': { ...a, optional: true } },
      installed: { 'node_modules/a': a },
    });
    expect(matchesLock(scratch, { dev: false })).toBe(true);
  });

  test('development tools that are there are noticed, so that they are kept', () => {
    project({
      lock: { 'node_modules/a': a, 'node_modules/b': b },
      installed: { 'node_modules/a': a, 'node_modules/b': b },
    });
    expect(hasDevTools(scratch)).toBe(true);
  });

  test('children see nothing of the npm that started the script', () => {
    const env = { PATH: '/x/node_modules/.bin:/usr/bin', npm_config_port: '1', INIT_CWD: '/x', HOME: '/h' };
    expect(withoutNpm(env)).toEqual({ PATH: '/usr/bin', HOME: '/h' });
  });
});

describe('stamps', () => {
  test('change with a file, a value and a missing result', () => {
    writeFileSync(join(scratch, 'in'), 'one');
    const print = fingerprint(scratch, { files: ['in'], values: [1] });
    const stamp = join(scratch, 'stamps', 'step');
    const result = join(scratch, 'result');
    writeStamp(stamp, print);
    expect(isFresh(stamp, print, [result])).toBe(false);
    writeFileSync(result, '');
    expect(isFresh(stamp, print, [result])).toBe(true);
    expect(fingerprint(scratch, { files: ['in'], values: [2] })).not.toBe(print);
    writeFileSync(join(scratch, 'in'), 'two');
    expect(fingerprint(scratch, { files: ['in'], values: [1] })).not.toBe(print);
  });
});

describe('examples', () => {
  test('are copied once: neither overwritten nor brought back', () => {
    const from = join(scratch, 'examples');
    const workspace = join(scratch, 'workspace');
    mkdirSync(from);
    mkdirSync(workspace);
    for (const name of ['a.ipynb', 'b.ipynb', 'c.ipynb']) writeFileSync(join(from, name), 'example');
    writeFileSync(join(workspace, 'a.ipynb'), 'mine');
    expect(copyExamples(from, workspace)).toEqual(['a.ipynb', 'b.ipynb', 'c.ipynb']);
    expect(readFileSync(join(workspace, 'a.ipynb'), 'utf8')).toBe('mine');
    rmSync(join(workspace, 'b.ipynb'));
    writeFileSync(join(workspace, 'c.ipynb'), 'changed');
    expect(copyExamples(from, workspace)).toEqual([]);
    expect(() => readFileSync(join(workspace, 'b.ipynb'))).toThrow(/ENOENT/);
    expect(readFileSync(join(workspace, 'c.ipynb'), 'utf8')).toBe('changed');
  });
});

describe('what still runs', () => {
  const now = Date.parse('2026-01-01T12:00:00Z');

  test('nothing', () => {
    expect(sentences({ pilots: [{ name: 'old', state: 'DONE' }] }, now)).toEqual([
      'Nothing of Pilothouse runs any more.',
    ]);
  });

  test('pilots with their end, and the command that ends them', () => {
    const said = sentences(
      {
        pilots: [{ name: 'demo', state: 'ACTIVE', endsAt: '2026-01-01T12:52:00Z' }],
        services: [{ state: 'READY' }, { state: 'STOPPED' }],
        tasks: [{ state: 'RUNNING' }, { state: 'WAITING' }],
      },
      now,
    ).join('\n');
    expect(said).toContain('1 pilot still runs, with 1 service and 2 tasks');
    expect(said).toMatch(/demo {2}ACTIVE {2}ends by itself at \d\d:\d\d, in 52 min/);
    expect(said).toContain('pilothouse end --all');
  });
});
