import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PilothouseError } from '../errors/index.js';
import type { FileChunk, TaskFile } from '../schemas/staging.js';
import { isInside, openInside, safeRelative } from './inside.js';

/** Files that a listing holds at most. */
export const LISTED_FILES = 1000;

/** Entries that a listing looks at, at most: a folder may hold millions that are none of the task's. */
const LOOKED_AT = 20_000;

/**
 * Files below a folder, breadth first, so that a listing that is cut holds what lies on top. A link counts as what it
 * leads to, if that lies in the folder too; links to elsewhere, pipes and sockets are left out, and no link to a folder is
 * followed.
 *
 * @param folder - absolute; one that is not there holds nothing
 * @param wanted - which paths, relative to the folder, are listed
 */
export async function listFolder(
  folder: string,
  wanted: (path: string) => boolean = () => true,
  limit: number = LISTED_FILES,
): Promise<TaskFile[]> {
  const root = await realpath(folder).catch(() => null);
  if (root === null) return [];
  const files: TaskFile[] = [];
  const waiting = [''];
  let looked = 0;
  for (let below = waiting.shift(); below !== undefined; below = waiting.shift()) {
    // A folder that is gone by now, or may not be entered, has nothing to show.
    const entries = await readdir(join(root, below), { withFileTypes: true }).catch((): Dirent[] => []);
    for (const entry of entries.sort(byName)) {
      if (files.length >= limit || looked >= LOOKED_AT) return files;
      looked += 1;
      const path = join(below, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      if (!wanted(path)) continue;
      const file = await describe(root, path);
      if (file !== null) files.push(file);
    }
  }
  return files;
}

async function describe(root: string, path: string): Promise<TaskFile | null> {
  const full = join(root, path);
  try {
    const own = await lstat(full);
    if (own.isSymbolicLink() && !isInside(root, await realpath(full))) return null;
    const found = own.isSymbolicLink() ? await stat(full) : own;
    if (!found.isFile() && !found.isDirectory()) return null;
    const folder = found.isDirectory();
    return { path, size: folder ? 0 : found.size, modified: found.mtime.toISOString(), folder };
  } catch {
    return null; // Gone between the two looks, or a link to nowhere.
  }
}

/**
 * Reads a piece of a file in one of the folders of a task.
 *
 * @param folders - absolute folders; a relative path is looked for in each, the first that has it counts
 * @param limit - bytes
 * @param largest - bytes that a file may have to be given out at all
 * @throws PilothouseError UNSAFE_PATH, DATA_NOT_FOUND, PERMISSION_DENIED, FILE_TOO_LARGE
 */
export async function readPiece(
  folders: readonly [string, ...string[]],
  path: string,
  offset: number,
  limit: number,
  largest = Number.POSITIVE_INFINITY,
): Promise<FileChunk> {
  const handle = await openFirst(folders, safeRelative(path));
  try {
    const { size } = await handle.stat();
    if (size > largest) throw tooLarge(path, join(folders[0], path), size, largest);
    const from = Math.min(offset, size);
    const buffer = Buffer.alloc(Math.min(limit, size - from));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    const next = from + bytesRead;
    const data = buffer.toString('base64', 0, bytesRead);
    return { data, offset: from, next, size, complete: next >= size || bytesRead === 0 };
  } finally {
    await handle.close();
  }
}

async function openFirst(folders: readonly [string, ...string[]], path: string): ReturnType<typeof openInside> {
  const [first, ...others] = folders;
  try {
    return await openInside([first], join(first, path));
  } catch (error) {
    if (!(error instanceof PilothouseError && error.code === 'DATA_NOT_FOUND')) throw error;
    for (const folder of others) {
      const found = await openInside([folder], join(folder, path)).catch(() => null);
      if (found !== null) return found;
    }
    throw error;
  }
}

/** The error of a file that is larger than what goes through Pilothouse. */
export function tooLarge(path: string, full: string, size: number, largest: number): PilothouseError {
  return new PilothouseError(
    'FILE_TOO_LARGE',
    `${path} has ${mebibytes(size)} MiB; ${mebibytes(largest)} is the limit`,
    {
      hint: `Copy it from ${full}, or let the task stage it out.`,
      field: 'path',
      evidence: full,
    },
  );
}

function mebibytes(bytes: number): string {
  const value = bytes / (1024 * 1024);
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : String(Math.round(value));
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1;
}
