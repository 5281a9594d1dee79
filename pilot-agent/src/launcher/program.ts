import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/shared';

/** What a process is to be started from. */
export interface Program {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Where programs are looked up when a task has no PATH of its own. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/**
 * Finds the file of a program in the environment of its own, and checks its working directory, before anything starts.
 *
 * @throws PilothouseError DIRECTORY_NOT_FOUND or EXECUTABLE_NOT_FOUND, naming path and remedy
 */
export async function findProgram({ command, env, cwd }: Program): Promise<string> {
  if (!(await isFolder(cwd))) {
    throw new PilothouseError('DIRECTORY_NOT_FOUND', `the working directory ${cwd} is not there`, {
      hint: `Create ${cwd}, or name another folder as cwd.`,
    });
  }
  const [name = ''] = command;
  if (name.includes('/')) {
    const file = isAbsolute(name) ? name : join(cwd, name);
    if (await isProgram(file)) return file;
    throw new PilothouseError('EXECUTABLE_NOT_FOUND', `${file} is not there or may not be executed`, {
      hint: 'Check the path, and `chmod +x` it if it is a script.',
    });
  }
  const searched = env.PATH ?? DEFAULT_PATH;
  for (const folder of searched.split(':')) {
    // An empty part of a PATH means the working directory.
    const file = join(isAbsolute(folder) ? folder : join(cwd, folder), name);
    if (await isProgram(file)) return file;
  }
  throw new PilothouseError('EXECUTABLE_NOT_FOUND', `no program "${name}" on the task's PATH`, {
    hint: `Install ${name}, give its full path, or set PATH in the description's env.`,
    evidence: `PATH=${searched}`,
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function isProgram(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return false;
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
