import type { Block, Layout, Window } from './lanes.js';
import { ticks } from './lanes.js';
import { groupColour, type TimelinePalette } from './palette.js';

/** Pixels at the left for the names of lanes, and at the top for the time. */
export const LEFT = 96;
export const TOP = 22;

/** What one drawing needs. */
export interface Drawing {
  readonly layout: Layout;
  readonly window: Window;
  readonly now: number;
  readonly width: number;
  readonly height: number;
  readonly palette: TimelinePalette;
  /** The block under the pointer, or the one chosen by keys. */
  readonly marked: Block | null;
}

/** Height of one lane in pixels. */
export function laneHeight(lanes: number, height: number): number {
  return Math.max(3, Math.min(22, (height - TOP) / Math.max(1, lanes)));
}

/** Where a time stands, in pixels from the left. */
export function xOf(time: number, { from, to }: Window, width: number): number {
  return LEFT + ((time - from) / Math.max(1, to - from)) * (width - LEFT);
}

/** The time at a place. */
export function timeAt(x: number, { from, to }: Window, width: number): number {
  return from + ((x - LEFT) / Math.max(1, width - LEFT)) * (to - from);
}

/** The block at a place, the one that began last where several lie there. */
export function blockAt(x: number, y: number, drawing: Omit<Drawing, 'palette' | 'marked'>): Block | null {
  const { layout, width, height, window, now } = drawing;
  if (x < LEFT || y < TOP) return null;
  const lane = Math.floor((y - TOP) / laneHeight(layout.lanes.length, height));
  const time = timeAt(x, window, width);
  // A short span is drawn one pixel wide at least, and can be pointed at as such.
  const slack = ((window.to - window.from) / Math.max(1, width - LEFT)) * 1.5;
  const hits = layout.blocks.filter(
    ({ span, lane: first, lanes }) =>
      lane >= first && lane < first + lanes && time >= span.start - slack && time <= (span.end ?? now) + slack,
  );
  return hits.at(-1) ?? null;
}

/** Draws the whole timeline. */
export function drawTimeline(canvas: CanvasRenderingContext2D, drawing: Drawing): void {
  const { width, height, palette } = drawing;
  canvas.clearRect(0, 0, width, height);
  canvas.fillStyle = palette.background;
  canvas.fillRect(0, 0, width, height);
  canvas.font = palette.font;
  canvas.textBaseline = 'middle';
  drawLanes(canvas, drawing);
  drawAxis(canvas, drawing);
  canvas.save();
  canvas.beginPath();
  canvas.rect(LEFT, TOP, width - LEFT, height - TOP);
  canvas.clip();
  for (const block of drawing.layout.blocks) drawBlock(canvas, drawing, block);
  drawNow(canvas, drawing);
  canvas.restore();
}

function drawLanes(canvas: CanvasRenderingContext2D, { layout, width, height, palette }: Drawing): void {
  const tall = laneHeight(layout.lanes.length, height);
  const several = new Set(layout.lanes.map(({ node }) => node)).size > 1;
  let labelled = Number.NEGATIVE_INFINITY;
  for (const [index, lane] of layout.lanes.entries()) {
    const y = TOP + index * tall;
    if (index % 2 === 0) {
      canvas.fillStyle = palette.lane;
      canvas.fillRect(LEFT, y, width - LEFT, tall);
    }
    const firstOfNode = lane.node !== layout.lanes[index - 1]?.node;
    if (firstOfNode && index > 0) {
      canvas.fillStyle = palette.line;
      canvas.fillRect(0, y, width, 1);
    }
    // As many names as there is room for.
    if (y - labelled < 12) continue;
    labelled = y;
    canvas.fillStyle = palette.quiet;
    canvas.textAlign = 'right';
    const text = several && firstOfNode ? `${lane.node} ${lane.label}` : lane.label || 'no cores';
    canvas.fillText(text, LEFT - 8, y + tall / 2, LEFT - 12);
  }
}

function drawAxis(canvas: CanvasRenderingContext2D, { window, width, height, palette }: Drawing): void {
  const { step, times } = ticks(window, (width - LEFT) / 110);
  const format = new Intl.DateTimeFormat(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    ...(step < 60_000 ? { second: '2-digit' } : {}),
    ...(step < 1000 ? { fractionalSecondDigits: 3 } : {}),
    ...(step >= 86_400_000 ? { day: 'numeric', month: 'short' } : {}),
  });
  canvas.textAlign = 'left';
  for (const time of times) {
    const x = Math.round(xOf(time, window, width));
    canvas.fillStyle = palette.line;
    canvas.fillRect(x, TOP - 5, 1, height);
    canvas.fillStyle = palette.quiet;
    canvas.fillText(format.format(time), x + 4, TOP / 2);
  }
}

function drawBlock(canvas: CanvasRenderingContext2D, drawing: Drawing, block: Block): void {
  const { layout, window, width, height, palette, now, marked } = drawing;
  const { span, lane, lanes } = block;
  const end = span.end ?? now;
  if (end < window.from || span.start > window.to) return;
  const tall = laneHeight(layout.lanes.length, height);
  const x = Math.max(LEFT - 2, xOf(span.start, window, width));
  const wide = Math.max(1.5, Math.min(width + 2, xOf(end, window, width)) - x);
  const gap = tall >= 6 ? 1 : 0;
  const y = TOP + lane * tall + gap;
  const high = lanes * tall - 2 * gap;
  canvas.fillStyle = groupColour(palette, layout.groups, span.group);
  canvas.globalAlpha = span.state === 'CANCELED' ? 0.45 : 0.9;
  canvas.fillRect(x, y, wide, high);
  canvas.globalAlpha = 1;
  if (span.state === 'FAILED') hatch(canvas, palette, x, y, wide, high);
  if (marked?.span === span) {
    canvas.strokeStyle = palette.text;
    canvas.lineWidth = 2;
    canvas.strokeRect(x, y, wide, high);
  }
  if (wide > 44 && high > 12) {
    canvas.save();
    canvas.beginPath();
    canvas.rect(x, y, wide, high);
    canvas.clip();
    canvas.fillStyle = palette.background;
    canvas.textAlign = 'left';
    canvas.fillText(span.name, Math.max(x, LEFT) + 4, y + high / 2);
    canvas.restore();
  }
}

/** What failed is red at its edges and striped: told without colour too. */
function hatch(
  canvas: CanvasRenderingContext2D,
  palette: TimelinePalette,
  x: number,
  y: number,
  wide: number,
  high: number,
): void {
  canvas.save();
  canvas.beginPath();
  canvas.rect(x, y, wide, high);
  canvas.clip();
  canvas.strokeStyle = palette.bad;
  canvas.lineWidth = 2;
  canvas.strokeRect(x, y, wide, high);
  if (wide > 6) {
    for (let at = x - high; at < x + wide; at += 7) {
      canvas.beginPath();
      canvas.moveTo(at, y + high);
      canvas.lineTo(at + high, y);
      canvas.stroke();
    }
  }
  canvas.restore();
}

function drawNow(canvas: CanvasRenderingContext2D, { now, window, width, height, palette }: Drawing): void {
  if (now < window.from || now > window.to) return;
  canvas.fillStyle = palette.bad;
  canvas.fillRect(Math.round(xOf(now, window, width)), TOP, 1, height);
}
