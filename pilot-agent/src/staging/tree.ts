import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isInside } from '@pilothouse/sdk/files';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { systemCode } from './failures.js';

/** One thing in a folder that is staged. */
export interface TreeEntry {
  /** Relative to the folder. */
  readonly below: string;
  readonly kind: 'file' | 'folder' | 'link';
  /** Where its content is: for a link that leads out of the folder, what it leads to. */
  readonly path: string;
  /** bytes; 0 for all but files */
  readonly size: number;
  readonly mode: number;
  /** For a link that stays within the folder: what it says, made relative. */
  readonly says?: string;
}

/**
 * Everything in a folder, folders before what they hold. A link that stays within the folder remains a link; one that
 * leads out of it stands for what it leads to, since it would dangle elsewhere. Sockets and pipes are left out: there is
 * nothing in them to be moved.
 *
 * @param root - absolute, no link
 */
export async function walkTree(root: string, signal: AbortSignal): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  await walk(root, root, '', [root], entries, signal);
  return entries;
}

async function walk(
  root: string,
  folder: string,
  below: string,
  above: readonly string[],
  entries: TreeEntry[],
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    const entry = await describe(root, path, join(below, name));
    if (entry === null) continue;
    entries.push(entry);
    if (entry.kind !== 'folder') continue;
    if (above.includes(entry.path)) {
      throw new PilothouseError('STAGING_FAILED', `${path} is a link to a folder that holds it`, {
        hint: 'Remove the link, or name what is to be staged one by one.',
      });
    }
    await walk(root, entry.path, entry.below, [...above, entry.path], entries, signal);
  }
}

async function describe(root: string, path: string, below: string): Promise<TreeEntry | null> {
  const own = await lstat(path);
  if (own.isDirectory()) return { below, kind: 'folder', path, size: 0, mode: own.mode };
  if (own.isFile()) return { below, kind: 'file', path, size: own.size, mode: own.mode };
  if (!own.isSymbolicLink()) return null;
  const real = await realpath(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ELOOP') return null;
    throw error;
  });
  // It led nowhere before, and does so wherever it is.
  if (real === null) return { below, kind: 'link', path, size: 0, mode: own.mode, says: await readlink(path) };
  if (isInside(root, real)) {
    return { below, kind: 'link', path, size: 0, mode: own.mode, says: relative(dirname(path), real) };
  }
  const found = await lstat(real);
  if (found.isDirectory()) return { below, kind: 'folder', path: real, size: 0, mode: found.mode };
  return found.isFile() ? { below, kind: 'file', path: real, size: found.size, mode: found.mode } : null;
}
