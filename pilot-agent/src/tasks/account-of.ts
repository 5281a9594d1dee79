import type { SpooledTask, TaskState } from '@pilothouse/sdk/shared';
import type { Account } from './accounting.js';
import { demandOf } from './demand.js';
import type { TaskDetails } from './task-host.js';
import type { Submission } from './work.js';

/** The account of a task that has ended: what it held follows from what it was granted and how long it ran. */
export function accountOf(
  submission: Submission,
  spooled: SpooledTask,
  last: TaskDetails & { readonly state: TaskState },
  t: string,
): Account {
  const { cores, gpus, slots = 1 } = demandOf(submission, spooled.entry, undefined);
  const { usage } = last;
  const wall = usage?.wall ?? null;
  return {
    id: spooled.id,
    name: spooled.name,
    set: submission.set,
    kind: 'task',
    state: last.state,
    attempt: last.attempt ?? (spooled.attempts ?? 0) + 1,
    t,
    cores: cores * slots,
    gpus: gpus * slots,
    wall,
    cpu: usage?.cpu ?? null,
    maxRss: usage?.maxRss ?? null,
    coreSeconds: held(wall, cores * slots),
    gpuSeconds: held(wall, gpus * slots),
  };
}

function held(wall: number | null, amount: number): number {
  return Math.round((wall ?? 0) * amount * 1000) / 1000;
}
