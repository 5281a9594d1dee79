import { useEffect, useRef, useState } from 'react';
import type uPlot from 'uplot';
import { clockTime } from '../format/time.js';
import { useApp } from '../hooks/context.js';
import { useTheme } from '../hooks/theme.js';
import { readTimelinePalette } from '../timeline/palette.js';
import { type Line, lastOf, stacked } from './chart-data.js';

const HEIGHT = 120;

/** One small chart over time: lines, or areas stacked on each other; the legend tells the values under the pointer. */
export function Chart(props: {
  readonly title: string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** What each line is called. */
  readonly names: Readonly<Record<string, string>>;
  readonly format: (value: number) => string;
  readonly stack?: boolean;
  /** Marks each value: where many times have none, lines alone would not be seen. */
  readonly points?: boolean;
  /** Place of the first line's colour among all. */
  readonly colour?: number;
}): JSX.Element {
  const { trans } = useApp();
  const { title, times, lines, names, format, stack = false, points = false, colour = 0 } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const [at, setAt] = useState<number | null>(null);
  const [colours, setColours] = useState<readonly string[]>([]);
  const drawn = stack ? stacked(lines) : lines;
  // The tallest area is drawn first, so that those below it are seen.
  const order = stack ? [...drawn].reverse() : drawn;
  const data = useRef<uPlot.AlignedData>([[]]);
  data.current = [[...times], ...order.map(({ values }) => [...values])];
  const keys = order.map(({ key }) => key).join(' ');
  const latest = useRef({ order, format, drawn });
  latest.current = { order, format, drawn };

  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew only when other lines are drawn; values come below
  useEffect(() => {
    const node = box.current;
    if (node === null) return undefined;
    let gone = false;
    const palette = readTimelinePalette(node);
    const colourOf = (key: string): string => {
      const place = latest.current.drawn.findIndex((line) => line.key === key);
      return palette.groups[(colour + place) % palette.groups.length] ?? palette.text;
    };
    setColours(latest.current.drawn.map(({ key }) => colourOf(key)));
    const axis = {
      stroke: palette.quiet,
      font: fontOf(node),
      grid: { stroke: palette.line, width: 1 },
      ticks: { show: false },
    };
    const resized = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) plot.current?.setSize({ width, height: HEIGHT });
    });
    void import('uplot').then(({ default: UPlot }) => {
      if (gone) return;
      plot.current = new UPlot(
        {
          width: Math.max(120, Math.floor(node.clientWidth)),
          height: HEIGHT,
          legend: { show: false },
          cursor: { y: false, drag: { x: false, y: false }, points: { show: !stack } },
          scales: { y: { range: (_self, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
          axes: [
            { ...axis, size: 24, values: (_self: uPlot, ticks: number[]) => ticks.map(timeOf) },
            { ...axis, size: 58, values: (_self, ticks) => ticks.map((tick) => latest.current.format(tick)) },
          ],
          series: [{}, ...latest.current.order.map(({ key }) => seriesOf(UPlot, colourOf(key), stack, points))],
          hooks: { setCursor: [(self) => setAt(self.cursor.idx ?? null)] },
        },
        data.current,
        node,
      );
      resized.observe(node);
    });
    return () => {
      gone = true;
      resized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [keys, stack, points, colour, theme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the data is a new one exactly when these are
  useEffect(() => {
    plot.current?.setData(data.current);
  }, [times, lines]);

  return (
    <figure className="ph-Chart" aria-label={title}>
      <figcaption>
        <b>{title}</b>
        <span className="ph-Chart-legend">
          {lines.map(({ key, values }, index) => {
            const value = at === null ? lastOf(values) : (values[at] ?? null);
            return (
              <span key={key}>
                <span className="ph-Swatch" style={{ background: colours[index] }} aria-hidden="true" />{' '}
                {names[key] ?? key} <b>{value === null ? trans.__('none') : format(value)}</b>
              </span>
            );
          })}
        </span>
      </figcaption>
      <div ref={box} aria-hidden="true" />
    </figure>
  );
}

/** A line with its points, or, where parts are stacked, blocks as wide as their time: alone they are seen too. */
function seriesOf(UPlot: typeof uPlot, colour: string, stack: boolean, points: boolean): uPlot.Series {
  if (!stack) return { stroke: colour, width: 1.5, spanGaps: true, points: { show: points, size: 4, fill: colour } };
  const paths = UPlot.paths.bars?.({ size: [1, Number.POSITIVE_INFINITY], gap: 0, align: 1 });
  return { stroke: colour, fill: colour, width: 0, points: { show: false }, ...(paths === undefined ? {} : { paths }) };
}

/** The page's own font in pixels, the only unit that is measured right on a canvas. */
function fontOf(node: Element): string {
  const { fontFamily, fontSize } = getComputedStyle(node);
  return `${Math.max(10, Math.round(Number.parseFloat(fontSize) * 0.85))}px ${fontFamily}`;
}

/** The time of day of a tick, to the second only where it is not on the minute. */
function timeOf(seconds: number): string {
  return clockTime(new Date(seconds * 1000).toISOString(), seconds % 60 !== 0);
}
