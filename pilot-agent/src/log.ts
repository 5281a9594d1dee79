import { PilothouseError } from '@pilothouse/sdk/shared';

/** One line to the warden's log file. Never output of a task, never a secret. */
export function log(text: string, error?: unknown): void {
  process.stderr.write(
    `${new Date().toISOString()} agent: ${text}${error === undefined ? '' : `: ${describe(error)}`}\n`,
  );
}

function describe(error: unknown): string {
  if (error instanceof PilothouseError) return `${error.code} ${error.message}${error.hint ? ` (${error.hint})` : ''}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
