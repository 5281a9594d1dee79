import type { LogChunk } from '@pilothouse/sdk/internal';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type Problem, problemOf } from '../format/problem.js';
import { useActive, useApp } from '../hooks/context.js';
import { ProblemNote } from './problem-note.js';

/** Bytes read to begin with, counted from the end. */
const BEGIN = -64 * 1024;
/** Characters kept on the page. */
const KEEP = 256 * 1024;
const PERIOD_MS = 1000;

/** The end of a log, which follows while it is visible and the reader has not scrolled up. */
export function LogTail(props: {
  readonly name: string;
  /** Reads from a byte offset; negative counts from the end. Another function means another log. */
  readonly read: (offset: number, signal: AbortSignal) => Promise<LogChunk>;
}): JSX.Element {
  const { trans } = useApp();
  const active = useActive();
  const { read } = props;
  const [text, setText] = useState('');
  const [complete, setComplete] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [following, setFollowing] = useState(true);
  const next = useRef<{ read: typeof read; offset: number } | null>(null);
  const box = useRef<HTMLPreElement>(null);

  useEffect(() => {
    if (next.current?.read !== read) {
      next.current = { read, offset: BEGIN };
      setText('');
      setComplete(false);
    }
    if (!active) return undefined;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const step = async (): Promise<void> => {
      const place = next.current;
      if (place === null) return;
      try {
        const chunk = await read(place.offset, controller.signal);
        if (controller.signal.aborted) return;
        setProblem(null);
        if (chunk.text !== '') setText((old) => (old + chunk.text).slice(-KEEP));
        next.current = { read, offset: chunk.next };
        if (chunk.complete && chunk.next >= chunk.size) {
          setComplete(true);
          return;
        }
        // There is more already: go on at once.
        timer = setTimeout(() => void step(), chunk.next < chunk.size ? 0 : PERIOD_MS);
      } catch (error) {
        if (controller.signal.aborted) return;
        setProblem(problemOf(error));
        timer = setTimeout(() => void step(), 5 * PERIOD_MS);
      }
    };
    void step();
    return () => {
      controller.abort();
      if (timer !== undefined) clearTimeout(timer);
    };
  }, [read, active]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs for each new piece of text
  useLayoutEffect(() => {
    const node = box.current;
    if (node !== null && following) node.scrollTop = node.scrollHeight;
  }, [text, following]);

  return (
    <div className="ph-Log">
      <label className="ph-Log-follow">
        <input type="checkbox" checked={following} onChange={(event) => setFollowing(event.target.checked)} />
        {trans.__('Follow')}
      </label>
      <pre
        ref={box}
        role="log"
        aria-label={props.name}
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={(event) => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          setFollowing(scrollHeight - scrollTop - clientHeight < 8);
        }}
      >
        {text === '' ? trans.__('Nothing has been written yet.') : text}
      </pre>
      {complete ? <p className="ph-Log-end">{trans.__('Ended; nothing more will come.')}</p> : null}
      {problem === null ? null : <ProblemNote problem={problem} />}
    </div>
  );
}
