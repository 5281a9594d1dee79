import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/internal';

/** What starting a warden needs. */
export interface WardenStart {
  readonly pilot: string;
  readonly folder: string;
  readonly runtimeDir: string;
  readonly home: string;
  readonly userHome: string;
  readonly node: string;
  readonly agentMain: string;
  readonly wardenScript: string;
  readonly python: string;
  /** What tasks get. */
  readonly umask: number;
}

/**
 * Leaves the bridge's session and parentage before it becomes the warden, so that nothing that ends the bridge, or its
 * terminal, ends a pilot. Node can start a session but not fork twice, hence these lines.
 */
const DETACH = `
import os, sys
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.umask(int(sys.argv[1], 8))
os.execv(sys.argv[2], sys.argv[2:])
`;

/** The command line of a pilot's warden. */
export function wardenCommand(start: WardenStart): string[] {
  return [
    start.python,
    '-I',
    '-S',
    '-E',
    start.wardenScript,
    start.folder,
    '--',
    start.node,
    start.agentMain,
    start.folder,
  ];
}

/** Where a warden's own words go. */
export function wardenLog(runtimeDir: string, pilot: string): string {
  return join(runtimeDir, 'p', pilot, 'warden.log');
}

/** Starts the warden of a pilot; resolves once it runs detached. */
export async function startWarden(start: WardenStart): Promise<void> {
  const log = openSync(wardenLog(start.runtimeDir, start.pilot), 'a', 0o600);
  try {
    const child = spawn(
      start.python,
      ['-I', '-S', '-E', '-c', DETACH, start.umask.toString(8), ...wardenCommand(start)],
      {
        stdio: ['ignore', log, log],
        cwd: '/',
        env: {
          PATH: '/usr/local/bin:/usr/bin:/bin',
          HOME: start.userHome,
          LANG: 'C.UTF-8',
          PILOTHOUSE_HOME: start.home,
          PILOTHOUSE_RUNTIME_DIR: start.runtimeDir,
        },
      },
    );
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        code === 0 ? resolve() : reject(new Error(`${start.python} ended with ${signal ?? code}`)),
      );
    });
  } catch (cause) {
    throw new PilothouseError('PILOT_FAILED', `the pilot cannot be started: ${start.python} does not run`, {
      hint: 'Install Python 3.10 or newer as python3, or name one with PILOTHOUSE_PYTHON.',
      ids: { pilot: start.pilot },
      cause,
    });
  } finally {
    closeSync(log);
  }
}

/** Says its own path and version; run by each candidate, since a path may be a shim that costs time at every start. */
const WHO = 'import sys; print(sys.executable); print(sys.version_info >= (3, 10))';

/** Finds the Python that runs wardens: the one named, the system's, or the first on PATH that is new enough. */
export async function findPython(env: Readonly<NodeJS.ProcessEnv>): Promise<string> {
  const named = env.PILOTHOUSE_PYTHON;
  const folders = ['/usr/bin', ...(env.PATH ?? '').split(delimiter), '/usr/local/bin'];
  const candidates = named ? [named] : [...new Set(folders.filter(Boolean).map((folder) => join(folder, 'python3')))];
  for (const candidate of candidates) {
    if ((await stat(candidate).catch(() => null)) === null && candidate.includes('/')) continue;
    const answer = await run(candidate, ['-I', '-S', '-E', '-c', WHO]);
    const [path, isNew] = answer?.split('\n') ?? [];
    if (path !== undefined && path !== '' && isNew === 'True') return path;
  }
  const tried = named ?? 'no python3 on this machine';
  throw new PilothouseError('ENGINE_UNAVAILABLE', `${tried} is not Python 3.10 or newer`, {
    hint: 'Install Python 3.10 or newer, or name one with PILOTHOUSE_PYTHON.',
  });
}

/** Output of a short program; null when it cannot be run or fails. */
function run(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 5000, cwd: '/' }, (error, stdout) => resolve(error === null ? stdout : null));
  });
}

/** Whether the warden of a pilot answers on its socket. */
export function wardenAnswers(runtimeDir: string, pilot: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(join(runtimeDir, 'w', `${pilot}.sock`));
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1000, () => settle(true)); // Connected or queued: somebody holds the socket.
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/** Identity of this boot; everything of an earlier one is gone for sure. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** The last lines of a warden's log, for the evidence of a failure. */
export async function wardenTail(runtimeDir: string, pilot: string): Promise<string> {
  const text = await readFile(wardenLog(runtimeDir, pilot), 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-5).join('\n');
}
