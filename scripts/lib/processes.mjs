// Child processes for set-up and tests: output kept for the moment it is needed, failures that say what was run.
import { spawn } from 'node:child_process';

/** Some tools name the cause first, others last: both ends of a long output are kept. */
function shortened(lines, kept = 15) {
  if (lines.length <= 2 * kept) return lines;
  return [...lines.slice(0, kept), `… ${lines.length - 2 * kept} lines …`, ...lines.slice(-kept)];
}

/** A command that set-up or tests needed and that failed. */
export class CommandFailed extends Error {
  /**
   * @param {string[]} argv
   * @param {number | null} status exit status, or null when a signal ended it
   * @param {string} output what it printed, both streams in the order they came
   * @param {unknown} [cause]
   */
  constructor(argv, status, output, cause) {
    const tail = shortened(output.trimEnd().split('\n')).join('\n');
    super(`\`${argv.join(' ')}\` failed (${status === null ? 'not run to its end' : `exit ${status}`})\n${tail}`, {
      cause,
    });
    this.name = 'CommandFailed';
    this.status = status;
    this.output = output;
  }
}

/**
 * Runs a command and keeps what it prints.
 * @param {string[]} argv
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, timeoutMs?: number }} [options]
 * @returns {Promise<{ status: number | null, output: string }>}
 */
export function runCaptured(argv, { cwd, env = process.env, onLine, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let output = '';
    let rest = '';
    const take = (text) => {
      output += text;
      if (!onLine) return;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (cause) => reject(new CommandFailed(argv, null, cause.message, cause)));
    child.on('close', (status) => {
      if (onLine && rest) onLine(rest);
      resolve({ status, output });
    });
  });
}

/** Like `runCaptured`, but a status other than 0 throws `CommandFailed` with the last lines of the output. */
export async function run(argv, options) {
  const { status, output } = await runCaptured(argv, options);
  if (status !== 0) throw new CommandFailed(argv, status, output);
  return output;
}
