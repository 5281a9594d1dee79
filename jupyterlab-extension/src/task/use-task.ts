import type { Task } from '@pilothouse/sdk';
import type { TaskRecord } from '@pilothouse/sdk/internal';
import { useEffect, useState } from 'react';
import type { Subscription } from 'rxjs';
import { type Problem, problemOf } from '../format/problem.js';
import { useActive, useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';

/** One task, followed for as long as somebody looks at it. */
export interface OpenTask {
  readonly task: Task | null;
  readonly record: TaskRecord | null;
  readonly problem: Problem | null;
}

/** Opens a task by its id and follows it. */
export function useTask(id: string): OpenTask {
  const { link, session } = useApp();
  const active = useActive();
  const { state: connection } = useLive(link.value$, link.value);
  const [open, setOpen] = useState<OpenTask>({ task: null, record: null, problem: null });
  useEffect(() => {
    if (!active || connection !== 'connected') return undefined;
    const controller = new AbortController();
    let handle: Task | null = null;
    let following: Subscription | null = null;
    session.tasks.get(id, { signal: controller.signal }).then(
      (task) => {
        if (controller.signal.aborted) {
          task.close();
          return;
        }
        handle = task;
        following = task.record$.subscribe((record) => setOpen({ task, record, problem: null }));
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setOpen({ task: null, record: null, problem: problemOf(error) });
      },
    );
    return () => {
      controller.abort();
      following?.unsubscribe();
      handle?.close();
    };
  }, [session, id, active, connection]);
  // What was read of another task says nothing about this one.
  return open.record !== null && open.record.id !== id ? { task: null, record: null, problem: null } : open;
}
