import type { Timeline } from '@pilothouse/sdk/internal';

export type Span = Timeline['spans'][number];

/** One line of the timeline: a core, a GPU, or room for what holds neither. */
export interface Lane {
  readonly node: string;
  readonly kind: 'core' | 'gpu' | 'none';
  /** `core 3`, `GPU 0`; empty: neither. */
  readonly label: string;
}

/** A stretch of a span over lanes that lie beside each other. */
export interface Block {
  readonly span: Span;
  readonly lane: number;
  readonly lanes: number;
}

/** Where everything is drawn. */
export interface Layout {
  readonly lanes: readonly Lane[];
  /** In the order they began, so that later ones lie above. */
  readonly blocks: readonly Block[];
  /** Sets and services in the order they first appear: what spans are coloured by. */
  readonly groups: readonly string[];
}

/** What holds neither core nor GPU gets so many lines a node at most; more lie on top of each other. */
const NONE_LANES = 6;

/** One key for each attempt of a task: ids come again with a retry. */
export function spanKey({ id, start }: Span): string {
  return `${id} ${start}`;
}

/** Gives each core and GPU a line, and each span its blocks on them. */
export function layOut(timeline: Timeline): Layout {
  const lanes: Lane[] = [];
  const first = new Map<string, number>();
  const spans = [...timeline.spans].sort((a, b) => a.start - b.start);
  const groups = [...new Set(spans.map(({ group }) => group ?? ''))];
  const loose = looseLanes(spans);
  for (const { name: node, cores, gpus } of timeline.nodes) {
    first.set(`${node} core`, lanes.length);
    for (let core = 0; core < cores; core += 1) lanes.push({ node, kind: 'core', label: `core ${core}` });
    for (const gpu of gpus) {
      first.set(`${node} gpu ${gpu}`, lanes.length);
      lanes.push({ node, kind: 'gpu', label: `GPU ${gpu}` });
    }
    first.set(`${node} none`, lanes.length);
    const needed = Math.max(
      0,
      ...spans.filter((span) => span.node === node).map((span) => (loose.get(span) ?? -1) + 1),
    );
    for (let index = 0; index < needed; index += 1) lanes.push({ node, kind: 'none', label: '' });
  }
  const blocks = spans.flatMap((span): Block[] => {
    const { node } = span;
    const cores = first.get(`${node} core`);
    const none = first.get(`${node} none`);
    if (cores === undefined || none === undefined) return [];
    const loosely = loose.get(span);
    if (loosely !== undefined) return [{ span, lane: none + loosely, lanes: 1 }];
    const places = [
      ...span.cores.map((core) => cores + core),
      ...span.gpus.flatMap((gpu) => first.get(`${node} gpu ${gpu}`) ?? []),
    ];
    return runs(places).map(([lane, count]) => ({ span, lane, lanes: count }));
  });
  return { lanes, blocks, groups };
}

/** Line within its node's for each span that holds neither cores nor GPUs: the first that is free when it begins. */
function looseLanes(spans: readonly Span[]): Map<Span, number> {
  const free = new Map<string, number[]>();
  const lanes = new Map<Span, number>();
  for (const span of spans) {
    if (span.cores.length + span.gpus.length > 0) continue;
    const ends = free.get(span.node) ?? [];
    free.set(span.node, ends);
    let lane = ends.findIndex((end) => end <= span.start);
    if (lane === -1) lane = ends.length < NONE_LANES ? ends.length : NONE_LANES - 1;
    ends[lane] = Math.max(ends[lane] ?? 0, span.end ?? Number.POSITIVE_INFINITY);
    lanes.set(span, lane);
  }
  return lanes;
}

/** Numbers that follow each other, as first and count. */
function runs(places: readonly number[]): [number, number][] {
  const out: [number, number][] = [];
  for (const place of [...places].sort((a, b) => a - b)) {
    const last = out.at(-1);
    if (last !== undefined && last[0] + last[1] === place) last[1] += 1;
    else out.push([place, 1]);
  }
  return out;
}

/** The part of time that is in sight, in milliseconds since 1970. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** Zooms about a point: `factor` below one shows less time. Never less than a tenth of a second. */
export function zoom({ from, to }: Window, factor: number, about: number): Window {
  const span = Math.max(100, (to - from) * factor);
  const share = (about - from) / Math.max(1, to - from);
  return { from: about - share * span, to: about + (1 - share) * span };
}

/** Round steps of time for the axis, so that about `count` marks are in sight. */
export function ticks(
  { from, to }: Window,
  count: number,
): { readonly step: number; readonly times: readonly number[] } {
  const wanted = (to - from) / Math.max(1, count);
  const step = STEPS.find((one) => one >= wanted) ?? Math.ceil(wanted / DAY) * DAY;
  const times: number[] = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) times.push(time);
  return { step, times };
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  20,
  50,
  100,
  200,
  500,
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
];
