import type { Stats } from 'node:fs';
import { link, lstat, realpath, rename, rm, stat, statfs, symlink, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isInside } from '@pilothouse/sdk/files';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { checksumMismatch, sha256Of } from './checksum.js';
import { copyFile } from './copy-file.js';
import { eachAtOnce } from './each.js';
import { stagingCanceled, stagingFailed, systemCode } from './failures.js';
import { makeFolderLike, makeFolders } from './folders.js';
import { partBeside } from './parts.js';
import type { Run } from './run.js';
import { walkTree } from './tree.js';

/** Files of a folder that are worked on at the same time. */
const AT_ONCE = 16;

/** How content gets to its target: a name of the same file, a pointer to it, its bytes, or the thing itself. */
export type Way = 'hardlink' | 'symlink' | 'copy' | 'move';

/** The file systems' ways to say that two names of one file cannot be had here. */
const NO_HARD_LINK = new Set(['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES']);

/**
 * Puts one file or folder at its target. The target is replaced as a whole, so that whoever looks sees the old or the
 * new one, never a part; folders are merged. What is at its target already stays as it is.
 */
export async function put(run: Run, source: string, target: string, way: Way): Promise<void> {
  try {
    await putOne(run, source, target, way);
  } catch (error) {
    if (run.signal.aborted) throw stagingCanceled();
    throw stagingFailed(error, run.field, DOING[way], target);
  }
}

const DOING = { hardlink: 'linking to', symlink: 'linking to', copy: 'copying to', move: 'moving to' } as const;

async function putOne(run: Run, source: string, target: string, way: Way): Promise<void> {
  const own = await lstat(source);
  const real = await realpath(source);
  const content = await stat(real);
  if (!content.isFile() && !content.isDirectory()) {
    throw new PilothouseError('STAGING_FAILED', `${run.field}: ${source} is neither a file nor a folder`, {
      hint: 'Only files and folders can be staged.',
      field: run.field,
    });
  }
  await makeFolders(dirname(target));
  if (await isSame(target, content)) {
    // A second name of the same file has to go; the file itself, or a link to it, is where it should be.
    if (way === 'move' && !own.isSymbolicLink() && real !== (await realpath(target))) await rm(source);
    await checkInPlace(run, target, content);
    run.progress.file();
    return;
  }
  if (content.isDirectory() && isInside(real, await realPathOf(target))) {
    throw new PilothouseError('STAGING_FAILED', `${run.field}: ${target} lies in ${source} itself`, {
      hint: 'Choose a target outside of what is staged.',
      field: run.field,
    });
  }
  if (way === 'symlink') await point(run, source, target, content);
  // What a link leads to is moved like any other: alone, the link would soon lead nowhere.
  else if (way === 'move' && !own.isSymbolicLink()) await move(run, real, target, content);
  else await putContent(run, real, target, content, way === 'copy' ? 'copy' : 'hardlink');
  if (way === 'move' && own.isSymbolicLink()) await unlink(source);
}

/** A link for the task to read through; it may lead anywhere, also to another file system. */
async function point(run: Run, source: string, target: string, content: Stats): Promise<void> {
  const part = partBeside(target, run.task, run.field);
  await rm(part, { force: true });
  await symlink(source, part);
  await rename(part, target);
  await checkInPlace(run, target, content);
  run.progress.file();
}

async function move(run: Run, source: string, target: string, content: Stats): Promise<void> {
  // What cannot be checked in place is checked before the source is given up.
  await checkInPlace(run, source, content, target);
  try {
    await rename(source, target);
    run.progress.file();
    return;
  } catch (error) {
    const code = systemCode(error);
    const merges = content.isDirectory() && (code === 'ENOTEMPTY' || code === 'EEXIST');
    if (code !== 'EXDEV' && !merges) throw error;
  }
  await putContent(run, source, target, content, 'hardlink');
  await rm(source, { recursive: true });
}

async function putContent(
  run: Run,
  source: string,
  target: string,
  content: Stats,
  way: 'copy' | 'hardlink',
): Promise<void> {
  if (content.isFile()) {
    await putFile(run, source, target, content.size, way);
    return;
  }
  const entries = await walkTree(source, run.signal);
  const files = entries.filter(({ kind }) => kind === 'file');
  if (way === 'copy')
    await expectBytes(
      run,
      target,
      files.reduce((sum, { size }) => sum + size, 0),
    );
  await makeFolderLike(target, content.mode);
  for (const { kind, below, mode } of entries) if (kind === 'folder') await makeFolderLike(join(target, below), mode);
  await eachAtOnce(files, AT_ONCE, ({ path, below, size }) =>
    putFile(run, path, join(target, below), size, way, way === 'copy'),
  );
  for (const { below, says } of entries) if (says !== undefined) await linkAgain(run, says, join(target, below));
}

/** @param expected - whether its bytes have been announced already */
async function putFile(
  run: Run,
  source: string,
  target: string,
  size: number,
  way: 'copy' | 'hardlink',
  expected = false,
): Promise<void> {
  if (run.signal.aborted) throw stagingCanceled();
  if (way === 'hardlink' && (await hardLink(run, source, target))) {
    run.progress.file();
    return;
  }
  if (!expected) await expectBytes(run, target, size);
  await copyFile(run, source, target);
  run.progress.file();
}

/** Gives a file a second name; false where that cannot be done, and a copy must do. */
async function hardLink(run: Run, source: string, target: string): Promise<boolean> {
  try {
    if (run.checksum.kind !== 'none') await checkInPlace(run, source, await stat(source), target);
    await link(source, target);
    return true;
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (NO_HARD_LINK.has(code)) return false;
    if (code !== 'EEXIST') throw error;
  }
  if (await isSame(target, await stat(source))) return true;
  const part = partBeside(target, run.task, run.field);
  await rm(part, { force: true });
  await link(source, part);
  await rename(part, target);
  return true;
}

async function linkAgain(run: Run, says: string, target: string): Promise<void> {
  const part = partBeside(target, run.task, run.field);
  await rm(part, { force: true });
  await symlink(says, part);
  await rename(part, target);
}

/** Says how much there is to copy, and refuses at once what cannot fit. */
async function expectBytes(run: Run, target: string, bytes: number): Promise<void> {
  run.progress.expect(bytes);
  const { bavail, bsize } = await statfs(dirname(target));
  if (bytes > bavail * bsize) throw noRoom(run.field, target, bytes, bavail * bsize);
}

/** The error of something that is larger than what is free. */
export function noRoom(field: string, target: string, bytes: number, free: number): PilothouseError {
  const mib = (value: number): string => `${Math.ceil(value / (1024 * 1024))} MiB`;
  return new PilothouseError('DISK_FULL', `${field}: ${mib(bytes)} do not fit at ${target}; ${mib(free)} are free`, {
    hint: `Make room where ${target} lies, or choose another target, then retry.`,
    field,
  });
}

/** Checks a file that nothing was copied of: it is one file at both ends, so only its content can be wrong. */
async function checkInPlace(run: Run, path: string, content: Stats, named = path): Promise<void> {
  if (run.checksum.kind === 'none' || !content.isFile()) return;
  const found = await sha256Of(path, run.signal);
  if (run.checksum.kind === 'is' && found !== run.checksum.hex) {
    throw checksumMismatch(run.field, named, run.checksum.hex, found);
  }
  run.progress.checksum(named, found);
}

async function isSame(target: string, { dev, ino }: Stats): Promise<boolean> {
  const found = await stat(target).catch(() => null);
  return found !== null && found.dev === dev && found.ino === ino;
}

/** Where a path that may not be there yet lies, with the links on the way to it resolved. */
async function realPathOf(path: string): Promise<string> {
  return join(await realpath(dirname(path)), path.slice(dirname(path).length));
}
