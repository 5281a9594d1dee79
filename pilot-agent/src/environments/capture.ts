import { execFile } from 'node:child_process';

/** What a script came to. */
export interface Captured {
  readonly ok: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly stderr: string;
}

const SECONDS = 60;
/** What a shell adds by itself. */
const OF_THE_SHELL = new Set(['PWD', 'OLDPWD', 'SHLVL', '_']);

/**
 * Runs lines in bash and gives the environment that they leave: so that tasks of an environment start with it at once
 * instead of each running the lines again.
 */
export function captureEnvironment(lines: readonly string[], env: Readonly<Record<string, string>>): Promise<Captured> {
  const script = `set -o pipefail\n${lines.join('\n')}\nexec /usr/bin/env -0`;
  return new Promise((resolve) => {
    execFile(
      '/bin/bash',
      ['--noprofile', '--norc', '-c', script],
      { env: { ...env }, timeout: SECONDS * 1000, maxBuffer: 8 << 20, cwd: '/' },
      (error, stdout, stderr) => {
        resolve({ ok: error === null, env: parse(stdout), stderr: stderr.trim() });
      },
    );
  });
}

function parse(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const variable of text.split('\0')) {
    const end = variable.indexOf('=');
    const name = variable.slice(0, end);
    // A function of bash's own (BASH_FUNC_module%%) is nothing that a program could use.
    if (end > 0 && !OF_THE_SHELL.has(name) && !name.startsWith('BASH_FUNC_')) found[name] = variable.slice(end + 1);
  }
  return found;
}
