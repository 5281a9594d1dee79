import type { Timeline } from '@pilothouse/sdk/internal';
import { describe, expect, it } from 'vitest';
import { blockAt, LEFT, laneHeight, TOP, xOf } from '../src/timeline/draw.js';
import { layOut, ticks, zoom } from '../src/timeline/lanes.js';

type Span = Timeline['spans'][number];

function span(id: string, changes: Partial<Span> = {}): Span {
  return { id, name: id, group: null, node: 'n1', cores: [0], gpus: [], start: 0, end: 100, state: 'DONE', ...changes };
}

const nodes = [
  { name: 'n1', cores: 4, gpus: ['0'] },
  { name: 'n2', cores: 2, gpus: [] },
];

describe('the timeline', () => {
  it('gives cores that lie together one block, apart several, and GPUs their own', () => {
    const layout = layOut({ nodes, spans: [span('a', { cores: [0, 1, 3], gpus: ['0'] })], truncated: false });
    expect(layout.blocks.map(({ lane, lanes }) => [lane, lanes])).toEqual([
      [0, 2],
      [3, 2],
    ]);
    expect(layout.lanes.map(({ label }) => label)).toEqual([
      'core 0',
      'core 1',
      'core 2',
      'core 3',
      'GPU 0',
      'core 0',
      'core 1',
    ]);
  });

  it('finds a line for what holds nothing, and colours by set in order of appearance', () => {
    const spans = [
      span('b', { cores: [], start: 50, end: null, group: 'set-2' }),
      span('a', { cores: [], start: 0, end: 60, group: 'set-1' }),
      span('c', { cores: [], start: 70, group: 'set-1' }),
    ];
    const layout = layOut({ nodes, spans, truncated: false });
    expect(layout.groups).toEqual(['set-1', 'set-2']);
    expect(layout.blocks.map(({ span: { id }, lane }) => [id, lane])).toEqual([
      ['a', 5],
      ['b', 6],
      ['c', 5],
    ]);
  });

  it('tells what is under the pointer', () => {
    const layout = layOut({ nodes, spans: [span('a'), span('b', { cores: [2], end: null })], truncated: false });
    const drawing = { layout, window: { from: 0, to: 200 }, now: 150, width: 500, height: 300 };
    const tall = laneHeight(layout.lanes.length, 300);
    const at = (time: number, lane: number) =>
      blockAt(xOf(time, drawing.window, 500), TOP + (lane + 0.5) * tall, drawing)?.span.id;
    expect(at(50, 0)).toBe('a');
    expect(at(150, 0)).toBeUndefined();
    expect(at(140, 2)).toBe('b');
    expect(blockAt(LEFT - 5, TOP + 5, drawing)).toBeNull();
  });

  it('zooms about a point and marks round times', () => {
    expect(zoom({ from: 0, to: 1000 }, 0.5, 250)).toEqual({ from: 125, to: 625 });
    const { step, times } = ticks({ from: 500, to: 61_000 }, 6);
    expect(step).toBe(30_000);
    expect(times).toEqual([30_000, 60_000]);
  });
});
