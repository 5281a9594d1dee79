import type { PilotRecord, Timeline } from '@pilothouse/sdk/internal';
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { ProblemNote } from '../components/problem-note.js';
import { EmptyState, LinkButton } from '../components/small.js';
import { isFinal, stateWord } from '../format/state.js';
import { clockTime, exactTime } from '../format/time.js';
import { useApp } from '../hooks/context.js';
import { useLive, useNow } from '../hooks/live.js';
import { CommandIDs } from '../tokens.js';
import { blockAt, LEFT, laneHeight, TOP, timeAt } from './draw.js';
import { type Block, type Layout, layOut, type Span, type Window, zoom } from './lanes.js';
import { groupColour, readTimelinePalette } from './palette.js';
import { SpanTable } from './span-table.js';
import { formatSpan, held } from './spans.js';
import { TimelineCanvas } from './timeline-canvas.js';
import { useTimeline } from './use-timeline.js';

/** Pixels that the lanes together take at most before they are scrolled. */
const TALLEST = 420;
/** Time that a new timeline shows at least. */
const SHORTEST_MS = 30_000;

/** Who held which cores and GPUs of a pilot, when. */
export function TimelineView({ pilot }: { readonly pilot: PilotRecord }): JSX.Element {
  const { trans } = useApp();
  const { timeline, problem } = useTimeline(pilot);
  if (problem !== null && timeline === null) return <ProblemNote problem={problem} />;
  if (timeline === null) return <EmptyState text={trans.__('Reading who held what …')} />;
  if (timeline.spans.length === 0) {
    return <EmptyState text={trans.__('Nothing has run on it yet: what runs is drawn here, core by core.')} />;
  }
  return <Drawn pilot={pilot} timeline={timeline} />;
}

function Drawn(props: { readonly pilot: PilotRecord; readonly timeline: Timeline }): JSX.Element {
  const { trans } = useApp();
  const { pilot, timeline } = props;
  const layout = useMemo(() => layOut(timeline), [timeline]);
  const now = useTimelineNow(pilot, timeline);
  const everything = useMemo<Window>(() => whole(timeline, now), [timeline, now]);
  const [chosen, setChosen] = useState<Window | null>(null);
  const [following, setFollowing] = useState(true);
  const [asTable, setAsTable] = useState(false);
  // Following keeps the width that was chosen and moves with the clock.
  const window = chosen === null ? everything : following ? shifted(chosen, everything.to) : chosen;
  const change = useCallback((next: Window | null, follow: boolean) => {
    setChosen(next);
    setFollowing(follow);
  }, []);
  const about = following ? window.to : (window.from + window.to) / 2;
  return (
    <div className="ph-Timeline">
      <div className="ph-Timeline-tools" role="toolbar" aria-label={trans.__('Timeline')}>
        <button type="button" className="ph-Link" onClick={() => change(zoom(window, 0.5, about), following)}>
          {trans.__('Zoom in')}
        </button>
        <button type="button" className="ph-Link" onClick={() => change(zoom(window, 2, about), following)}>
          {trans.__('Zoom out')}
        </button>
        <button type="button" className="ph-Link" onClick={() => change(null, true)}>
          {trans.__('Show all')}
        </button>
        <label>
          <input type="checkbox" checked={following} onChange={(event) => change(window, event.target.checked)} />
          {trans.__('Follow')}
        </label>
        <LinkButton onClick={() => setAsTable(!asTable)}>
          {asTable ? trans.__('Show as a drawing') : trans.__('Show as a table')}
        </LinkButton>
        {timeline.truncated ? <span>{trans.__('What is older is left out.')}</span> : null}
      </div>
      {asTable ? (
        <SpanTable timeline={timeline} now={now} />
      ) : (
        <>
          <Steered layout={layout} window={window} now={now} onChange={change} />
          <Legend layout={layout} />
        </>
      )}
    </div>
  );
}

/** The clock of the drawing: it stands still when the pilot has ended. */
function useTimelineNow(pilot: PilotRecord, timeline: Timeline): number {
  const now = useNow();
  if (!isFinal('pilot', pilot.state)) return now;
  const last = Math.max(...timeline.spans.map(({ start, end }) => end ?? start));
  return pilot.endedAt === null ? last : Math.max(last, Date.parse(pilot.endedAt));
}

function whole({ spans }: Timeline, now: number): Window {
  const from = spans.reduce((least, { start }) => Math.min(least, start), now);
  const span = Math.max(SHORTEST_MS, now - from);
  return { from: now - span, to: now + span * 0.03 };
}

function shifted({ from, to }: Window, end: number): Window {
  return { from: from + (end - to), to: end };
}

/** The drawing with pointer and keys. */
function Steered(props: {
  readonly layout: Layout;
  readonly window: Window;
  readonly now: number;
  readonly onChange: (window: Window, following: boolean) => void;
}): JSX.Element {
  const { commands, trans } = useApp();
  const { layout, window, now, onChange } = props;
  const [marked, setMarked] = useState<Block | null>(null);
  const [at, setAt] = useState<{ readonly x: number; readonly y: number } | null>(null);
  const drag = useRef<{ readonly x: number; readonly window: Window; readonly moved: boolean } | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const height = TOP + Math.min(TALLEST, Math.max(60, layout.lanes.length * laneHeight(1, 1000)));
  const tall = Math.max(height, TOP + layout.lanes.length * 3);
  const width = (): number => box.current?.clientWidth ?? 0;
  const point = (event: PointerEvent<HTMLDivElement>): { x: number; y: number } => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };

  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const { x, y } = point(event);
    if (drag.current !== null) {
      const { window: from } = drag.current;
      const by = timeAt(drag.current.x, from, width()) - timeAt(x, from, width());
      if (Math.abs(x - drag.current.x) > 3) drag.current = { ...drag.current, moved: true };
      if (drag.current.moved) onChange({ from: from.from + by, to: from.to + by }, false);
      return;
    }
    setMarked(blockAt(x, y, { layout, window, now, width: width(), height: tall }));
    setAt({ x, y });
  };
  // React listens to the wheel passively; this one must keep the page from scrolling.
  const wheel = useRef<(event: WheelEvent) => void>(() => undefined);
  wheel.current = (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) return;
    event.preventDefault();
    const left = box.current?.getBoundingClientRect().left ?? 0;
    const about = timeAt(event.clientX - left, window, width());
    onChange(zoom(window, event.deltaY > 0 ? 1.25 : 0.8, about), false);
  };
  useEffect(() => {
    const node = box.current;
    if (node === null) return undefined;
    const listen = (event: WheelEvent): void => wheel.current(event);
    node.addEventListener('wheel', listen, { passive: false });
    return () => node.removeEventListener('wheel', listen);
  }, []);

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = (window.to - window.from) / 8;
    const middle = (window.from + window.to) / 2;
    if (event.key === 'ArrowLeft') onChange({ from: window.from - step, to: window.to - step }, false);
    else if (event.key === 'ArrowRight') onChange({ from: window.from + step, to: window.to + step }, false);
    else if (event.key === '+' || event.key === '=') onChange(zoom(window, 0.5, middle), false);
    else if (event.key === '-') onChange(zoom(window, 2, middle), false);
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={box}
      className="ph-Timeline-box"
      role="application"
      aria-label={trans.__(
        'Timeline of cores and GPUs: arrow keys move, plus and minus zoom. The same is there as a table.',
      )}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: steered by keys
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        drag.current = { x: point(event).x, window, moved: false };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        const moved = drag.current?.moved ?? false;
        drag.current = null;
        if (!moved && marked !== null) openSpan(marked.span, (command, args) => void commands.execute(command, args));
      }}
      onPointerLeave={() => {
        setMarked(null);
        setAt(null);
      }}
    >
      <TimelineCanvas layout={layout} window={window} now={now} height={tall} marked={marked} />
      {marked === null || at === null ? null : <Tip span={marked.span} now={now} at={at} width={width()} />}
    </div>
  );
}

/** A click leads to the page of the task; what is no task has its page elsewhere. */
function openSpan(span: Span, execute: (command: string, args: { readonly id: string }) => void): void {
  if (span.id.startsWith('task') || span.id.startsWith('set')) execute(CommandIDs.openTask, { id: span.id });
}

/** What the block under the pointer is. */
function Tip(props: {
  readonly span: Span;
  readonly now: number;
  readonly at: { readonly x: number; readonly y: number };
  readonly width: number;
}): JSX.Element {
  const { session, trans } = useApp();
  const picture = useLive(session.picture$, session.picture);
  const { span, now, at, width } = props;
  const group = picture.sets.find(({ id }) => id === span.group)?.name ?? span.group;
  const right = at.x > width * 0.6;
  return (
    <div
      className="ph-Timeline-tip"
      style={{ top: at.y + 14, ...(right ? { right: width - at.x + 8 } : { left: at.x + 12 }) }}
    >
      <b>{span.name}</b> {stateWord(span.state)}
      <br />
      {formatSpan((span.end ?? now) - span.start)}
      {span.end === null ? ` · ${trans.__('since %1', clockTime(new Date(span.start).toISOString()))}` : null}
      {group === null || group === span.name ? null : ` · ${group}`}
      <br />
      {held(span, trans.__('no cores'))}
      {span.end === null ? null : ` · ${exactTime(new Date(span.start).toISOString())}`}
    </div>
  );
}

/** Which colour is which set. */
function Legend({ layout }: { readonly layout: Layout }): JSX.Element {
  const { session, trans } = useApp();
  const picture = useLive(session.picture$, session.picture);
  const palette = readTimelinePalette(document.body);
  const name = (id: string): string => {
    if (id === '') return trans.__('single tasks');
    return [...picture.sets, ...picture.services].find((one) => one.id === id)?.name ?? id;
  };
  return (
    <ul className="ph-Legend" aria-label={trans.__('Colours')} style={{ paddingLeft: LEFT }}>
      {layout.groups.map((group) => (
        <li key={group}>
          <span style={{ background: groupColour(palette, layout.groups, group) }} aria-hidden="true" />
          {name(group)}
        </li>
      ))}
    </ul>
  );
}
