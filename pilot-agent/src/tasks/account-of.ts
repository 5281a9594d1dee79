import type { SpooledTask, TaskState } from '@pilothouse/sdk/shared';
import { type Account, makeAccount } from './accounting.js';
import { demandOf } from './demand.js';
import type { TaskDetails } from './task-host.js';
import type { Submission } from './work.js';

/** The account of a task that has ended. */
export function accountOf(
  submission: Submission,
  { id, name, entry, attempts = 0 }: SpooledTask,
  last: TaskDetails & { readonly state: TaskState },
  t: string,
): Account {
  const { cores, gpus, slots = 1 } = demandOf(submission, entry, undefined);
  const { state, attempt = attempts + 1, usage = null } = last;
  const held = { cores: cores * slots, gpus: gpus * slots };
  return makeAccount({ id, name, set: submission.set, kind: 'task', state, attempt, ...held }, usage, t);
}
