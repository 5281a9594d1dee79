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

/** How long what was found counts: of a thousand tasks a second with one program, few have to look. */
const FOUND_MS = 1000;
/** Programs that are remembered at a time. */
const REMEMBERED = 256;

/** When and where a program was found, by what it was looked for with. */
const found = new Map<string, { readonly at: number; readonly path: Promise<string> }>();

/**
 * Finds the file of a program in the environment of its own, and checks its working directory, before anything starts.
 * What was found a moment ago is not looked for again; what was not found always is, as it may have come since.
 *
 * @throws PilothouseError DIRECTORY_NOT_FOUND or EXECUTABLE_NOT_FOUND, naming path and remedy
 */
export function findProgram(program: Program): Promise<string> {
  const { command, env, cwd } = program;
  const key = `${command[0]}\0${cwd}\0${env.PATH ?? DEFAULT_PATH}`;
  const now = performance.now();
  const known = found.get(key);
  if (known !== undefined && now - known.at < FOUND_MS) return known.path;
  if (found.size >= REMEMBERED) found.clear();
  const path = lookFor(program);
  found.set(key, { at: now, path });
  path.catch(() => found.delete(key));
  return path;
}

async function lookFor({ command, env, cwd }: Program): Promise<string> {
  const folder = await stat(cwd).catch(() => undefined);
  if (folder === undefined) {
    throw new PilothouseError('DIRECTORY_NOT_FOUND', `the working directory ${cwd} is not there`, {
      hint: `Create ${cwd}, or name another folder as cwd.`,
    });
  }
  if (!folder.isDirectory()) {
    throw new PilothouseError('DIRECTORY_NOT_FOUND', `the working directory ${cwd} is no folder`, {
      hint: 'Name a folder as cwd.',
    });
  }
  const [name = ''] = command;
  if (name.includes('/')) {
    const file = isAbsolute(name) ? name : join(cwd, name);
    if (await isProgram(file)) return file;
    throw await noProgram(file);
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

/** Why a file that was named by its path is none that can be started. */
async function noProgram(file: string): Promise<PilothouseError> {
  const there = await stat(file).catch(() => undefined);
  if (there === undefined) {
    return new PilothouseError('EXECUTABLE_NOT_FOUND', `${file} is not there`, {
      hint: 'Check the path; a relative one starts from the working directory of the task.',
    });
  }
  if (!there.isFile()) {
    return new PilothouseError('EXECUTABLE_NOT_FOUND', `${file} is no program`, {
      hint: there.isDirectory() ? 'It is a folder: name a program in it.' : 'Name a program.',
    });
  }
  return new PilothouseError('EXECUTABLE_NOT_FOUND', `${file} may not be executed`, {
    hint: `Make it executable with \`chmod +x\`, or name the program that runs it first, as in ["sh", "${file}"].`,
  });
}

async function isProgram(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return false;
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
