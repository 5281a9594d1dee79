import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { errorCodeSchema, PilothouseError } from '../errors/index.js';
import { type Launcher, launcherSchema } from '../wire/index.js';
import { codeOf } from './lease.js';
import { type Paths, privateDirectory } from './paths.js';

const LOG_LINES = 12;

/**
 * What the bridge is given of this process's environment. Keys and tokens of a notebook or portal are not its business,
 * and must not reach what it starts.
 */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|CUDA_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES|LD_LIBRARY_PATH|(PILOTHOUSE|SLURM|PBS|LSB)_\w+)$/;

/** What a task carries: it may ask for a bridge too, and whatever carries its marks is ended with it. */
const MARKS = /^PILOTHOUSE_(PILOT|TASK_ID|SPAWN_ID|AGENT_OF)$/;

/** A bridge that is being started. */
export interface StartedBridge {
  /** Throws BRIDGE_START_FAILED, with what its log says, when it has ended; a bridge that found another one ends well. */
  check(): void;
  /** The error of a bridge that runs and does not answer. */
  tooSlow(seconds: number): PilothouseError;
}

/**
 * Starts the bridge of this installation so that it outlives this process: own session, output to its log (a pipe would
 * end it with its first line after we are gone). Starting several at once is harmless; all but one end again.
 */
export async function startBridge(paths: Paths, takeOver: boolean): Promise<StartedBridge> {
  const launcher = await readLauncher(paths);
  privateDirectory(paths.home);
  privateDirectory(paths.runtimeDir);
  const log = openSync(paths.log, 'a', 0o600);
  const logStart = fstatSync(log).size;
  let ended: string | null = null;
  try {
    const [program = '', ...args] = launcher.argv;
    const child = spawn(program, args, {
      cwd: paths.home,
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...environment(paths), ...(takeOver ? { PILOTHOUSE_TAKE_OVER: '1' } : {}) },
    });
    child.once('error', (error) => {
      ended = `${program}: ${error.message}`;
    });
    child.once('exit', (code, signal) => {
      if (code !== 0) ended = signal ? `ended by ${signal}` : `ended with exit code ${code}`;
    });
    child.unref();
  } finally {
    closeSync(log);
  }
  return {
    check() {
      if (ended !== null) throw startFailed(`Pilothouse could not be started: it ${ended}.`, tail(paths.log, logStart));
    },
    tooSlow: (seconds) =>
      startFailed(`Pilothouse was started and did not answer within ${seconds} s.`, tail(paths.log, logStart)),
  };
}

async function readLauncher(paths: Paths): Promise<Launcher> {
  let text: string;
  try {
    text = await readFile(paths.launcher, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'EACCES') {
      throw new PilothouseError('PERMISSION_DENIED', `${paths.launcher} cannot be read.`, {
        hint: 'Each user has a Pilothouse of their own: unset PILOTHOUSE_HOME, or run as its owner.',
        cause,
      });
    }
    throw new PilothouseError('LAUNCHER_MISSING', `Pilothouse is not set up here: there is no ${paths.launcher}.`, {
      hint: 'Run "npm start" in the Pilothouse folder once, or set PILOTHOUSE_LAUNCHER to its launcher.json.',
      cause,
    });
  }
  try {
    return launcherSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new PilothouseError('LAUNCHER_MISSING', `${paths.launcher} does not say how to start Pilothouse.`, {
      hint: 'Run "npm start" in the Pilothouse folder: it writes the file anew.',
      cause,
    });
  }
}

function environment(paths: Paths): Record<string, string> {
  const env: Record<string, string> = { PILOTHOUSE_HOME: paths.home, PILOTHOUSE_RUNTIME_DIR: paths.runtimeDir };
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && PASSED_ON.test(name) && !MARKS.test(name)) env[name] ??= value;
  }
  return env;
}

/** Last lines that were written to the log since `start`. */
function tail(file: string, start: number): string {
  if (!existsSync(file)) return '';
  const text = readFileSync(file).subarray(start).toString('utf8').trimEnd();
  return text.split('\n').slice(-LOG_LINES).join('\n');
}

/** A bridge that knows why it cannot start says so in its log as `CODE: message (hint)`; that is worth more than "failed". */
function startFailed(message: string, evidence: string): PilothouseError {
  const found = /\berror (?:.*?: )?([A-Z_]{4,}): (.+?)(?: \(([^()]+)\))?(?:; caused by .*)?$/m.exec(evidence);
  const code = errorCodeSchema.safeParse(found?.[1]);
  const failed = new PilothouseError('BRIDGE_START_FAILED', message, {
    hint: 'The last lines of its log say why; "pilothouse doctor" looks at the usual causes.',
    evidence,
  });
  if (!found || !code.success) return failed;
  return new PilothouseError(code.data, found[2] ?? message, { hint: found[3], evidence, cause: failed });
}
