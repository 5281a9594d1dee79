import type { Reason } from '@pilothouse/sdk/shared';
import type { RunEnd } from './runner.js';
import type { TaskDetails } from './task-host.js';

/** What the end of a run says, as records say it. */
export function detailsOf(run: RunEnd | undefined): TaskDetails {
  if (run === undefined) return {};
  const { exitCode, signal, stderrTail, output, usage, value, exception } = run;
  return {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(stderrTail === undefined ? {} : { stderrTail }),
    ...(output === undefined ? {} : { output }),
    ...(usage === undefined ? {} : { usage }),
    ...(value === undefined ? {} : { value }),
    ...(exception === undefined ? {} : { exception }),
  };
}

/** A reason that counts from now. */
export function reason(code: string, text: string, evidence?: string): Reason {
  return { code, text, since: new Date().toISOString(), ...(evidence ? { evidence } : {}) };
}
