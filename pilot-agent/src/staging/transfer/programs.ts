import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { stagingCanceled } from '../failures.js';

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number;
  /** The end of what it wrote to stderr. */
  readonly stderr: string;
  readonly stdout: string;
}

const KEPT = 16 * 1024;

/** Where a program is on a PATH; null: nowhere. */
export async function which(name: string, path: string | undefined): Promise<string | null> {
  for (const folder of (path ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter)) {
    const full = join(folder, name);
    if (
      folder !== '' &&
      (await access(full, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return full;
  }
  return null;
}

/**
 * Runs a program to its end. It ends with the agent that started it, however that ends, where the system has a way to say
 * so (setpriv); and when the signal says so.
 *
 * @param onStdout - called with each piece of what it writes
 */
export async function runProgram(
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
  onStdout: (text: string) => void = () => undefined,
): Promise<ProgramEnd> {
  if (signal.aborted) throw stagingCanceled();
  const bound = await which('setpriv', undefined);
  const [program, ...args] = bound === null ? argv : [bound, '--pdeathsig', 'TERM', ...argv];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...env }, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    const kept = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      kept.stdout = (kept.stdout + text).slice(-KEPT);
      onStdout(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      kept.stderr = (kept.stderr + text).slice(-KEPT);
    });
    const stop = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', stop);
      if (signal.aborted) reject(stagingCanceled());
      else resolve({ code: code ?? -1, ...kept });
    });
  });
}
