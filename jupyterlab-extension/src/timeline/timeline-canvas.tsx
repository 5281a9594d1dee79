import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTheme } from '../hooks/theme.js';
import { drawTimeline } from './draw.js';
import type { Block, Layout, Window } from './lanes.js';
import { readTimelinePalette } from './palette.js';

/** The drawing itself, sharp on every screen, redrawn when something in it or the theme changes. */
export function TimelineCanvas(props: {
  readonly layout: Layout;
  readonly window: Window;
  readonly now: number;
  readonly height: number;
  readonly marked: Block | null;
}): JSX.Element {
  const { layout, window, now, height, marked } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const theme = useTheme();
  useEffect(() => {
    const node = canvas.current?.parentElement;
    if (node === null || node === undefined) return undefined;
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours
  useLayoutEffect(() => {
    const node = canvas.current;
    const context = node?.getContext('2d');
    if (!node || !context || width === 0) return;
    const ratio = globalThis.devicePixelRatio || 1;
    if (node.width !== Math.round(width * ratio)) node.width = Math.round(width * ratio);
    if (node.height !== Math.round(height * ratio)) node.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawTimeline(context, { layout, window, now, width, height, marked, palette: readTimelinePalette(node) });
  }, [layout, window, now, width, height, marked, theme]);
  return <canvas ref={canvas} style={{ width: '100%', height }} />;
}
