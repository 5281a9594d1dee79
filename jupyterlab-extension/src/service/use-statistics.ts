import type { ServiceRecord, ServiceStatistics } from '@pilothouse/sdk/internal';
import { useEffect, useState } from 'react';
import { type Problem, problemOf } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { useActive, useApp } from '../hooks/context.js';

/** How often the statistics of a service that runs are read while somebody sees them. */
const PERIOD_MS = 2000;

/** Requests of the last 60 buckets of `step` seconds, read again and again while visible and live. */
export function useStatistics(
  { id, state }: ServiceRecord,
  step: number,
): { readonly statistics: ServiceStatistics | null; readonly problem: Problem | null } {
  const { session } = useApp();
  const active = useActive();
  const live = !isFinal('service', state);
  const [statistics, setStatistics] = useState<ServiceStatistics | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    if (!active) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      try {
        const handle = await session.services.get(id, { signal });
        try {
          const next = await handle.statistics({ step: { seconds: step }, buckets: 60, signal });
          if (signal.aborted) return;
          setStatistics(next);
          setProblem(null);
        } finally {
          handle.close();
        }
      } catch (error) {
        if (signal.aborted) return;
        setProblem(problemOf(error));
      }
      if (live && !signal.aborted) timer = setTimeout(() => void read(), PERIOD_MS);
    };
    void read();
    return () => {
      controller.abort();
      if (timer !== undefined) clearTimeout(timer);
    };
  }, [session, id, step, active, live]);
  return { statistics, problem };
}
