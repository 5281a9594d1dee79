import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from './failures.js';

const MAY_OTHERS_WRITE = 0o002;

/**
 * Makes a folder, and those above it, for the user's data. This process keeps its own files from everybody else; folders
 * between a user's own are as open as the folder they are made in, though never for others to write.
 */
export function makeFolders(path: string): Promise<void> {
  return make(path, true);
}

/** @param above - whether to make the folders above it where they are missing */
async function make(path: string, above: boolean): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') {
      if ((await stat(path)).isDirectory()) return;
      throw error;
    }
    // Below mount points of automounters and in /proc nothing can be made, and the system says ENOENT for ever.
    if (code !== 'ENOENT' || !above || path === dirname(path)) throw error;
    await make(dirname(path), true);
    await make(path, false);
    return;
  }
  await chmod(path, (await modeIn(dirname(path))) & 0o775);
}

/** Makes a folder with a mode of its own; one that is there is merged with, a file in its place is an error. */
export async function makeFolderLike(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
    return;
  }
  // Its owner has to be able to fill it.
  await chmod(path, (mode & 0o777) | 0o700);
}

/** The mode of a new file of the user's in this folder. */
export async function fileModeIn(folder: string): Promise<number> {
  return (await modeIn(folder)) & 0o664;
}

/** In a folder where everybody writes, such as /tmp, what is made is for its owner alone. */
async function modeIn(folder: string): Promise<number> {
  const { mode } = await stat(folder);
  return (mode & MAY_OTHERS_WRITE) === 0 ? mode & 0o777 : 0o700;
}
