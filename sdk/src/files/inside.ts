import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { PilothouseError } from '../errors/index.js';

/** Whether a path is this folder or lies below it. Both are absolute and hold no `..` and no links. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/**
 * A path as a caller may give it, relative to a folder of a task.
 *
 * @returns the same path without `.` and doubled separators
 * @throws PilothouseError UNSAFE_PATH for one that is absolute, leads out of the folder by its words, or no path at all
 */
export function safeRelative(path: string): string {
  // Refused as written, not as resolved: through a link, `a/..` may be somewhere else than where it seems.
  const bad = path === '' || path.includes('\0') || isAbsolute(path) || path.split(/[/\\]/).includes('..');
  if (bad) {
    throw new PilothouseError('UNSAFE_PATH', `${JSON.stringify(path)} is no path within the folder of the task`, {
      hint: 'Give a path relative to the working directory of the task, without "..".',
      field: 'path',
    });
  }
  return normalize(path);
}

/**
 * Opens a regular file for reading, only if it lies in one of these folders once every link on the way is resolved. The
 * check is made on the opened file, so that a link which is swapped meanwhile gains nothing.
 *
 * @param roots - absolute folders
 * @param path - absolute path of the file
 * @throws PilothouseError DATA_NOT_FOUND, UNSAFE_PATH, PERMISSION_DENIED
 */
export async function openInside(roots: readonly string[], path: string): Promise<FileHandle> {
  const handle = await opened(path);
  try {
    const real = await realPathOf(handle, path);
    const allowed = await Promise.all(roots.map((root) => realpath(root).catch(() => null)));
    if (!allowed.some((root) => root !== null && isInside(root, real))) {
      throw new PilothouseError('UNSAFE_PATH', `${path} is a link to ${real}, outside the folders of the task`, {
        hint: 'Open that file itself; a task gives out only what lies in its own folders.',
        field: 'path',
      });
    }
    if (!(await handle.stat()).isFile()) {
      throw new PilothouseError('DATA_NOT_FOUND', `${path} is no file`, {
        hint: 'Name one of the files in it.',
        field: 'path',
      });
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would never end.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new PilothouseError('PERMISSION_DENIED', `${path} may not be read`, {
        hint: 'Check its permissions.',
        field: 'path',
        cause,
      });
    }
    throw new PilothouseError('DATA_NOT_FOUND', `there is no file ${path}`, {
      hint: 'See with files() what the task has left; what lies on scratch may have been removed since.',
      field: 'path',
      cause,
    });
  }
}

/** Where an opened file really lies: the system knows where /proc is, elsewhere the path is resolved once more. */
async function realPathOf(handle: FileHandle, path: string): Promise<string> {
  try {
    return await readlink(join('/proc/self/fd', String(handle.fd)));
  } catch {
    return realpath(path);
  }
}
