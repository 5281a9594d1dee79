import type { Pilot } from '@pilothouse/sdk';
import type { PilotRecord, Timeline } from '@pilothouse/sdk/internal';
import { useEffect, useRef, useState } from 'react';
import { type Problem, problemOf } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { useActive, useApp } from '../hooks/context.js';
import { type Span, spanKey } from './lanes.js';

const PERIOD_MS = 1000;
/** Spans kept on the page; the oldest go first. */
const KEEP = 20_000;

/** Who held what on a pilot, brought up to date once a second while somebody looks and something can change. */
export function useTimeline(pilot: PilotRecord): {
  readonly timeline: Timeline | null;
  readonly problem: Problem | null;
} {
  const { session } = useApp();
  const active = useActive();
  const [timeline, setTimeline] = useState<Timeline | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const kept = useRef(new Map<string, Span>());
  const { id } = pilot;
  const final = isFinal('pilot', pilot.state);
  useEffect(() => {
    if (!active) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let handle: Pilot | null = null;
    let since: string | undefined;
    kept.current = new Map();
    const step = async (): Promise<void> => {
      const asked = new Date(Date.now() - 2 * PERIOD_MS).toISOString();
      try {
        handle ??= await session.pilots.get(id, { signal });
        const next = await handle.timeline({ signal, ...(since === undefined ? {} : { since }) });
        if (signal.aborted) return;
        const changed = since === undefined || next.spans.length > 0;
        since = asked;
        setProblem(null);
        if (changed) setTimeline(merged(kept.current, next));
        if (!final) timer = setTimeout(() => void step(), PERIOD_MS);
      } catch (error) {
        if (signal.aborted) return;
        setProblem(problemOf(error));
        timer = setTimeout(() => void step(), 5 * PERIOD_MS);
      }
    };
    void step();
    return () => {
      controller.abort();
      if (timer !== undefined) clearTimeout(timer);
      handle?.close();
    };
  }, [session, id, active, final]);
  return { timeline, problem };
}

/** What was known with what came: a span that has come to its end takes the place of the one that had not. */
function merged(kept: Map<string, Span>, next: Timeline): Timeline {
  for (const span of next.spans) kept.set(spanKey(span), span);
  let truncated = next.truncated;
  for (const key of kept.keys()) {
    if (kept.size <= KEEP) break;
    kept.delete(key);
    truncated = true;
  }
  return { nodes: next.nodes, spans: [...kept.values()], truncated };
}
