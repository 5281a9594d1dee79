import { PilothouseError } from '@pilothouse/sdk/internal';

/** Where the bridge says what it does: lines of text for people. Never hand it a secret, a prompt or an environment. */
export interface Logger {
  info(text: string): void;
  warn(text: string): void;
  /** Says what failed, why, and what to do. */
  error(text: string, error?: unknown): void;
}

/** Lines to stderr, which the starter has pointed at `bridge.log`. */
export const stderrLogger: Logger = {
  info: (text) => write('info', text),
  warn: (text) => write('warning', text),
  error: (text, error) => write('error', error === undefined ? text : `${text}: ${describeError(error)}`),
};

/** An error in one line: code, message, remedy, and what caused it. */
export function describeError(error: unknown): string {
  if (error instanceof PilothouseError) {
    const hint = error.hint === undefined ? '' : ` (${error.hint})`;
    const cause = error.cause === undefined ? '' : `; caused by ${describeError(error.cause)}`;
    return `${error.code}: ${error.message}${hint}${cause}`;
  }
  if (error instanceof Error) return error.stack ?? error.message;
  return String(error);
}

function write(level: string, text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${level} ${text}\n`);
}
