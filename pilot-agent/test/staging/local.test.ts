import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stagingFailed } from '../../src/staging/failures.js';
import { partBeside } from '../../src/staging/parts.js';
import { mayMount, Place, refusal } from './support.js';

const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.remove());

const read = (path: string): string => readFileSync(join(place.root, path), 'utf8');
const inode = (path: string): number => statSync(join(place.root, path)).ino;
/** Everything below a folder, without the folders themselves. */
const tree = (path: string): string[] =>
  execFileSync('find', ['.', '-mindepth', '1', '!', '-type', 'd', '-printf', '%P\n'], {
    cwd: join(place.root, path),
    encoding: 'utf8',
  })
    .split('\n')
    .filter(Boolean)
    .sort();

describe('link', () => {
  it('in: a link to the source, also to a folder, and the same again changes nothing', async () => {
    place.write({ 'caller/a.csv': 'a', 'caller/model/weights': 'w' });
    const directives = [{ from: 'a.csv' }, { from: 'model', to: 'input/' }];
    const reports = await place.stage('in', ...directives);
    expect(reports).toMatchObject([
      { direction: 'in', state: 'DONE', action: 'link', files: 1, bytes: 0, path: join(place.cwd, 'a.csv') },
      { state: 'DONE', path: join(place.cwd, 'input/model') },
    ]);
    expect(readlinkSync(join(place.cwd, 'a.csv'))).toBe(join(place.caller, 'a.csv'));
    expect(read('cwd/input/model/weights')).toBe('w');
    await place.stage('in', ...directives);
    expect(tree('cwd')).toEqual(['a.csv', 'input/model']);
    expect(place.told[0]?.[0]?.state).toBe('WAITING');
    expect(place.told.at(-1)?.map(({ state }) => state)).toEqual(['DONE', 'DONE']);
  });

  it('out: a second name of the same file, which stays when the folder of the task goes', async () => {
    place.write({ 'cwd/out/a.npy': 'a', 'cwd/out/deep/b.npy': 'b', 'cwd/out/c.txt': 'c' });
    const [report] = await place.stage('out', { from: 'out/**/*.npy', to: 'features/' });
    expect(report).toMatchObject({ files: 2, bytes: 0, path: join(place.caller, 'features') });
    expect(tree('caller')).toEqual(['features/a.npy', 'features/deep/b.npy']);
    expect(inode('caller/features/a.npy')).toBe(inode('cwd/out/a.npy'));
  });

  it('out: a folder with its links, and replaces what was there', async () => {
    place.write({ 'cwd/out/a': 'new', 'outside/x': 'x', 'caller/out/a': 'old', 'caller/out/kept': 'k' });
    symlinkSync('a', join(place.cwd, 'out/same'));
    symlinkSync(join(place.root, 'outside/x'), join(place.cwd, 'out/far'));
    symlinkSync('nowhere', join(place.cwd, 'out/dangling'));
    await place.stage('out', { from: 'out' });
    expect(tree('caller')).toEqual(['out/a', 'out/dangling', 'out/far', 'out/kept', 'out/same']);
    expect(read('caller/out/a')).toBe('new');
    expect(readlinkSync(join(place.caller, 'out/same'))).toBe('a');
    expect(lstatSync(join(place.caller, 'out/far')).isFile()).toBe(true);
  });

  it('leaves alone what is in its place already: a task in the notebook’s own folder', async () => {
    place.write({ 'caller/a': 'a', 'caller/d/b': 'b' });
    Object.defineProperty(place, 'cwd', { value: place.caller });
    for (const action of ['link', 'copy', 'move'] as const) {
      await place.stage('in', { from: 'a', action }, { from: 'd', action });
      await place.stage('out', { from: 'a', action }, { from: 'd/*', to: 'd/', action });
    }
    expect(tree('caller')).toEqual(['a', 'd/b']);
    expect(read('caller/a')).toBe('a');
  });

  it.skipIf(!mayMount)('out to another file system: a copy, with its bytes told', async () => {
    place.mount('other', 'size=4m');
    place.write({ 'cwd/a': Buffer.alloc(1 << 20, 7) });
    const [report] = await place.stage('out', { from: 'a', to: `${join(place.root, 'other/')}/`, action: 'link' });
    expect(report).toMatchObject({ files: 1, bytes: 1 << 20, total: 1 << 20 });
    expect(tree('other')).toEqual(['a']);
  });
});

describe('copy', () => {
  it('keeps content, mode and time, and is no second name', async () => {
    place.write({ 'caller/run.sh': 'x'.repeat(100_000) });
    chmodSync(join(place.caller, 'run.sh'), 0o755);
    utimesSync(join(place.caller, 'run.sh'), 1_000_000, 1_000_000);
    const [report] = await place.stage('in', { from: 'run.sh', to: 'bin/go', action: 'copy' });
    expect(report).toMatchObject({ files: 1, total: 100_000, path: join(place.cwd, 'bin/go') });
    const copied = statSync(join(place.cwd, 'bin/go'));
    expect([copied.mode & 0o777, copied.mtimeMs, copied.size]).toEqual([0o755, 1_000_000_000, 100_000]);
    expect(inode('cwd/bin/go')).not.toBe(inode('caller/run.sh'));
    expect(tree('cwd')).toEqual(['bin/go']);
  });

  it('checks what it is told to', async () => {
    place.write({ 'caller/h': 'hello' });
    const copy = { from: 'h', action: 'copy' } as const;
    const [report] = await place.stage('in', { ...copy, checksum: 'sha256' });
    expect(report?.checksums).toEqual({ '.': HELLO });
    await place.stage('in', { ...copy, to: 'again', checksum: `sha256:${HELLO}` });
    const wrong = `sha256:${'0'.repeat(64)}`;
    for (const action of ['copy', 'link', 'move'] as const) {
      expect(await refusal(place.stage('in', { ...copy, action, to: 'wrong', checksum: wrong }))).toMatchObject({
        code: 'CHECKSUM_MISMATCH',
        field: 'stageIn.0',
      });
    }
    expect(read('caller/h')).toBe('hello');
    expect(place.told.at(-1)?.[0]).toMatchObject({ state: 'FAILED' });
  });

  it('refuses a target within its source, and a checksum for many', async () => {
    place.write({ 'caller/d/a': 'a', 'caller/d/b': 'b' });
    const within = { from: 'd', to: join(place.caller, 'd/e'), action: 'copy' } as const;
    expect(await refusal(place.stage('in', within))).toMatchObject({ code: 'STAGING_FAILED' });
    const many = { from: 'd/*', checksum: `sha256:${HELLO}` };
    expect(await refusal(place.stage('in', many))).toMatchObject({ code: 'INVALID_DESCRIPTION' });
  });
});

describe('move', () => {
  it('leaves no source, merges folders, and takes what a link leads to', async () => {
    place.write({ 'cwd/r/a': '1', 'cwd/r/sub/b': '2', 'caller/r/old': '0', 'cwd/model-3': 'm' });
    symlinkSync('model-3', join(place.cwd, 'latest'));
    await place.stage('out', { from: 'r', action: 'move' }, { from: 'latest', action: 'move' });
    expect(tree('caller')).toEqual(['latest', 'r/a', 'r/old', 'r/sub/b']);
    expect(tree('cwd')).toEqual(['model-3']);
    expect(lstatSync(join(place.caller, 'latest')).isFile()).toBe(true);
  });

  it('that a killed agent has begun is gone on with; without that, what is missing is missing', async () => {
    const directives = [
      { from: 'a', to: 'moved/', action: 'move' },
      { from: 'out/*', to: 'all/', action: 'move' },
    ] as const;
    place.write({ 'caller/moved/a': 'a', 'caller/all/x': 'x' });
    expect(await refusal(place.stage('out', ...directives))).toMatchObject({ code: 'DATA_NOT_FOUND' });
    place.write({ 'task-0000000001.1.out.moves': '', 'cwd/out/y': 'y' });
    expect(await place.stage('out', ...directives)).toMatchObject([
      { state: 'DONE', path: join(place.caller, 'moved/a') },
      { state: 'DONE', files: 1 },
    ]);
    expect(tree('caller')).toEqual(['all/x', 'all/y', 'moved/a']);
    expect(existsSync(join(place.root, 'task-0000000001.1.out.moves'))).toBe(false);
    expect(await refusal(place.stage('out', directives[0]))).toMatchObject({ code: 'DATA_NOT_FOUND' });
  });

  it.skipIf(!mayMount)('goes to another file system', async () => {
    place.mount('other', 'size=4m');
    place.write({ 'cwd/d/a': 'a', 'cwd/d/b/c': 'c' });
    await place.stage('out', { from: 'd', to: `${place.root}/other/`, action: 'move' });
    expect(tree('other')).toEqual(['d/a', 'd/b/c']);
    expect(existsSync(join(place.cwd, 'd'))).toBe(false);
  });
});

describe('what can be wrong', () => {
  it('a wrong name: says which directive, and what is there instead', async () => {
    place.write({ 'caller/data/reads_1.fq': '', 'caller/data/reads_2.fq': '' });
    const error = await refusal(place.stage('in', { from: 'data/reads_2.fq' }, { from: 'data/read_1.fq' }));
    expect(error).toMatchObject({ code: 'DATA_NOT_FOUND', field: 'stageIn.1' });
    expect(error.message).toContain(join(place.caller, 'data/read_1.fq'));
    expect(error.hint).toContain('reads_1.fq');
    const nothing = await refusal(place.stage('in', { from: 'data/*.bam' }));
    expect(nothing).toMatchObject({ code: 'DATA_NOT_FOUND' });
    expect(nothing.message).toContain('*.bam');
    expect(await place.stage('in', { from: 'data/*.bam', optional: true })).toMatchObject([
      { state: 'DONE', files: 0 },
    ]);
  });

  it('a purged folder: says how much of the path is left', async () => {
    const error = await refusal(place.stage('in', { from: 'scratch/run7/in/a.csv' }));
    expect(error).toMatchObject({ code: 'DATA_NOT_FOUND', evidence: place.caller });
    expect(error.hint).toContain('purged');
  });

  it.skipIf(!mayMount)('a full disk: nothing half done is left, and more room is all it needs', async () => {
    place.mount('full', 'size=256k');
    place.write({
      'caller/big': Buffer.alloc(1 << 20),
      'caller/fits': Buffer.alloc(100_000),
      'full/filler': Buffer.alloc(90_000),
    });
    const to = `${place.root}/full/`;
    const big = await refusal(place.stage('in', { from: 'big', to, action: 'copy' }));
    expect(big).toMatchObject({ code: 'DISK_FULL', retryable: false });
    expect(big.hint).toContain('Make room');
    expect(tree('full')).toEqual(['filler']);
    await place.stage('in', { from: 'fits', to, action: 'copy' });
  });

  it('a quota that is used up', () => {
    const refused = Object.assign(new Error('EDQUOT: quota exceeded, write'), { code: 'EDQUOT' });
    const error = stagingFailed(refused, 'stageOut.0', 'copying to', '/scratch/x');
    expect(error).toMatchObject({ code: 'DISK_FULL', hint: expect.stringContaining('quota'), field: 'stageOut.0' });
  });

  it.skipIf(!mayMount)('a disk without room for one more file', async () => {
    place.mount('full', 'size=1m,nr_inodes=3');
    place.write({ 'caller/a': 'a', 'full/b': 'b', 'full/c': 'c' });
    const error = await refusal(place.stage('in', { from: 'a', to: `${place.root}/full/`, action: 'copy' }));
    expect(error).toMatchObject({ code: 'DISK_FULL' });
  });

  it.skipIf(!mayMount)('a folder that may not be written to', async () => {
    const path = place.mount('readonly', 'size=1m');
    execFileSync('mount', ['-o', 'remount,ro', path]);
    place.write({ 'cwd/a': 'a' });
    for (const action of ['link', 'copy', 'move'] as const) {
      const error = await refusal(place.stage('out', { from: 'a', to: `${path}/`, action }));
      expect(error).toMatchObject({ code: 'PERMISSION_DENIED', field: 'stageOut.0' });
      expect(error.hint).not.toBe('');
    }
    expect(read('cwd/a')).toBe('a');
  });

  it('a folder in which the system lets nobody make another', async () => {
    place.write({ 'cwd/a': 'a' });
    const error = await refusal(place.stage('out', { from: 'a', to: '/proc/none/' }));
    expect(error.field).toBe('stageOut.0');
    expect(error.hint).toContain('/proc/none');
  });

  it('a file where a folder should be, pipes, and links in circles', async () => {
    place.write({ 'caller/a': 'a', 'caller/d/x': 'x', 'cwd/d': 'file' });
    expect(await refusal(place.stage('in', { from: 'd', action: 'copy' }))).toMatchObject({ code: 'STAGING_FAILED' });
    expect(await refusal(place.stage('in', { from: 'a', to: 'd/' }))).toMatchObject({ code: 'STAGING_FAILED' });
    execFileSync('mkfifo', [join(place.caller, 'd/pipe')]);
    expect(await refusal(place.stage('in', { from: 'd/pipe' }))).toMatchObject({ code: 'STAGING_FAILED' });
    mkdirSync(join(place.caller, 'c/in'), { recursive: true });
    symlinkSync('..', join(place.caller, 'c/in/up'));
    await place.stage('in', { from: 'c', action: 'copy' });
    expect(readlinkSync(join(place.cwd, 'c/in/up'))).toBe('..');
  });
});

it('leaves nothing behind when it is canceled', async () => {
  place.write({ 'caller/big': Buffer.alloc(64 << 20, 1) });
  const failed = refusal(place.stage('in', { from: 'big', action: 'copy' }));
  place.cancel();
  expect(await failed).toMatchObject({ code: 'TASK_CANCELED' });
  expect(readdirSync(place.cwd)).toEqual([]);
});

it('goes on with a copy that a killed agent began, unless its source is another by now', async () => {
  place.write({ 'caller/big': 'source' });
  const source = join(place.caller, 'big');
  const target = join(place.cwd, 'big');
  const { size, mtimeNs, dev, ino } = statSync(source, { bigint: true });
  const part = partBeside(target, 'task-0000000001', 'stageIn.0', source, size, mtimeNs, dev, ino);
  writeFileSync(part, 'SOU');
  await place.stage('in', { from: 'big', action: 'copy' });
  expect(read('cwd/big')).toBe('SOUrce');
  writeFileSync(part, 'SOU');
  utimesSync(source, 1, 1);
  await place.stage('in', { from: 'big', action: 'copy' });
  expect(read('cwd/big')).toBe('source');
});
