import { useCallback, useEffect, useRef, useState } from 'react';
import { type Problem, problemOf } from '../format/problem.js';

/** One call in progress, and how the last one failed. */
export interface Call<A extends readonly unknown[]> {
  readonly busy: boolean;
  readonly problem: Problem | null;
  /** Runs it; resolves with whether it succeeded, never rejects. */
  readonly run: (...args: A) => Promise<boolean>;
  readonly clear: () => void;
}

/** Wraps an async action for a button: no second click while it runs, a readable problem when it fails. */
export function useCall<A extends readonly unknown[]>(action: (...args: A) => Promise<unknown>): Call<A> {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  const latest = useRef(action);
  latest.current = action;
  const run = useCallback(async (...args: A): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    try {
      await latest.current(...args);
      return true;
    } catch (error) {
      if (alive.current) setProblem(problemOf(error));
      return false;
    } finally {
      if (alive.current) setBusy(false);
    }
  }, []);
  const clear = useCallback(() => setProblem(null), []);
  return { busy, problem, run, clear };
}

/** A value fetched once per `key`, with its problem when that failed. */
export function useFetched<T>(
  load: (signal: AbortSignal) => Promise<T>,
  key: string,
): { readonly value: T | null; readonly problem: Problem | null; readonly reload: () => void } {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` and `round` say when to fetch again; the loader is always the latest
  useEffect(() => {
    const controller = new AbortController();
    latest.current(controller.signal).then(
      (loaded) => {
        if (controller.signal.aborted) return;
        setValue(() => loaded);
        setProblem(null);
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setProblem(problemOf(error));
      },
    );
    return () => controller.abort();
  }, [key, round]);
  const reload = useCallback(() => setRound((n) => n + 1), []);
  return { value, problem, reload };
}
