import { spawn } from 'node:child_process';
import type { ProbeResult } from '@pilothouse/sdk/shared';
import type { ServiceProgram } from '../program.js';
import { Look } from './result.js';

const LONGEST_TEXT = 500;

/** Runs a command beside an instance; exit code 0 passes. When its time is over, all of it is ended. */
export function probeCommand({ path, argv, env, cwd }: ServiceProgram, timeout: number): Promise<ProbeResult> {
  const look = new Look();
  return new Promise((resolve) => {
    const [argv0 = path, ...rest] = argv;
    // Leads a group of its own, so that what it has started can be ended with it.
    const child = spawn(path, rest, {
      argv0,
      env: { ...env },
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    let late = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-LONGEST_TEXT);
      });
    }
    const timer = setTimeout(() => {
      late = true;
      endGroup(child.pid);
    }, timeout);
    const finish = (ok: boolean, text: string): void => {
      clearTimeout(timer);
      // What it has left behind holds the pipes open, and is of no use to anybody.
      endGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(look.result(ok, text));
    };
    child.on('error', (error) => finish(false, error.message));
    child.on('exit', (code, signal) => {
      const lastLine = said.trim().split('\n').at(-1) ?? '';
      if (late) finish(false, `not ended within ${timeout / 1000} s`);
      else if (code === 0) finish(true, lastLine || 'exited with 0');
      else
        finish(
          false,
          [code === null ? `ended by ${signal}` : `exited with ${code}`, lastLine].filter(Boolean).join(': '),
        );
    });
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
