import { constants } from 'node:fs';
import { copyFile as cloneFile, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { checksumMismatch, sha256Of } from './checksum.js';
import { stagingCanceled, systemCode } from './failures.js';
import { partBeside } from './parts.js';
import type { Run } from './run.js';
import { writeAll } from './write-all.js';

const PIECE = 4 * 1024 * 1024;
/** Below this a clone is no faster than a copy. */
const WORTH_CLONING = 64 * 1024;

/** Pairs of file systems between which there are no clones: asked once. */
const cannotClone = new Set<string>();

/**
 * Copies a file so that the target is there only when it is whole: into a file beside it, which is then renamed. A copy
 * that was interrupted by the end of an agent goes on where it stopped, as long as its source has not changed since.
 * Where the file system can, both share their blocks and no bytes move.
 *
 * @param source - absolute, no link
 * @param target - absolute; its folder is there
 */
export async function copyFile(run: Run, source: string, target: string): Promise<void> {
  const from = await open(source, 'r');
  let part: string | undefined;
  try {
    const { size, mode, mtimeNs, mtime, atime, dev, ino } = await from.stat({ bigint: true });
    part = partBeside(target, run.task, run.field, source, size, mtimeNs, dev, ino);
    if (!(await clone(source, part, Number(size), dev))) await copyBytes(run, from, part, Number(size));
    if (run.checksum.kind !== 'none') await compare(run, source, part, target);
    const to = await open(part, 'r+');
    try {
      await to.chmod(Number(mode) & 0o777);
      await to.utimes(atime, mtime);
      // What a task has left must be there when its end is, even after the power was cut.
      if (run.direction === 'out') await to.datasync();
    } finally {
      await to.close();
    }
    await rename(part, target);
  } catch (error) {
    if (part !== undefined) await rm(part, { force: true });
    throw error;
  } finally {
    await from.close();
  }
}

async function clone(source: string, part: string, size: number, device: bigint): Promise<boolean> {
  const pair = `${device}:${part.slice(0, part.lastIndexOf('/'))}`;
  if (size < WORTH_CLONING || cannotClone.has(pair)) return false;
  try {
    await cloneFile(source, part, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (cannotClone.size > 1000) cannotClone.clear();
    // Whatever it is: if it stands in the way of a copy too, the copy says so.
    if (systemCode(error) !== 'EACCES') cannotClone.add(pair);
    return false;
  }
}

async function copyBytes({ signal, progress }: Run, from: FileHandle, part: string, size: number): Promise<void> {
  const to = await open(part, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    let at = Math.min((await to.stat()).size, size);
    await to.truncate(at);
    progress.bytes(at);
    const buffer = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, size - at)));
    for (;;) {
      if (signal.aborted) throw stagingCanceled();
      const { bytesRead } = await from.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      await writeAll(to, buffer, bytesRead, at);
      at += bytesRead;
      progress.bytes(bytesRead);
    }
  } finally {
    await to.close();
  }
}

/** Compares both ends of a copy, or the copy with the checksum it must have. */
async function compare(run: Run, source: string, part: string, target: string): Promise<void> {
  const { checksum, signal, progress, field } = run;
  const [found, expected] = await Promise.all([
    sha256Of(part, signal),
    checksum.kind === 'is' ? checksum.hex : sha256Of(source, signal),
  ]);
  if (found !== expected) throw checksumMismatch(field, target, expected, found);
  progress.checksum(target, found);
}
