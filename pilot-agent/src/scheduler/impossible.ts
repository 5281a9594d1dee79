import { formatBytes } from '@pilothouse/sdk/shared';
import type { Capacity } from './demand.js';
import { gpuSlots } from './keeping.js';
import { WHOLE } from './nodes.js';
import type { Shape } from './shape.js';

/** What a pilot does not have: the field that asks for it, and words. */
export interface Lack {
  readonly field: 'cores' | 'gpus' | 'memory' | 'nodes' | 'ranks';
  readonly text: string;
}

/** What an empty pilot lacks for a shape; undefined: nothing. */
export function lackOf(shape: Shape, nodes: readonly Capacity[]): Lack | undefined {
  const each = Math.max(1, shape.perNode);
  const need = shape.nodes > 0 ? shape.nodes : 1;
  if (need > nodes.length) {
    return { field: 'nodes', text: `needs ${count(need, 'node')}, the pilot has ${nodes.length}` };
  }
  const most = (of: (node: Capacity) => number) => nodes.reduce((best, node) => Math.max(best, of(node)), 0);
  const holder = nodes.length === 1 ? 'the pilot has' : 'the largest has';
  const where = nodes.length === 1 ? '' : ' on one node';
  const cores = most((node) => node.cores);
  if (shape.cores * each > cores) {
    return { field: 'cores', text: `needs ${count(shape.cores * each, 'core')}${where}, ${holder} ${cores}` };
  }
  const gpus = most((node) => node.gpus.length);
  if (most((node) => gpusFor(node, shape)) < each) {
    return { field: 'gpus', text: `needs ${count((shape.gpu * each) / WHOLE, 'GPU')}${where}, ${holder} ${gpus}` };
  }
  const memory = most((node) => node.memory ?? Number.POSITIVE_INFINITY);
  if (shape.memory * each > memory) {
    const asked = formatBytes(shape.memory * each);
    return { field: 'memory', text: `needs ${asked} of memory${where}, ${holder} ${formatBytes(memory)}` };
  }
  const slots = nodes.map((node) => slotsOf(node, shape));
  if (shape.slots > 1 && shape.perNode === 0) {
    const room = slots.reduce((sum, one) => sum + one, 0);
    if (room >= shape.slots) return undefined;
    return { field: 'ranks', text: `needs ${shape.slots} × ${slotWords(shape)}, the pilot has room for ${room}` };
  }
  const fitting = slots.filter((one) => one >= each).length;
  if (fitting >= need) return undefined;
  const what = slotWords(shape, each);
  if (need === 1) return { field: 'cores', text: `needs ${what} on one node, no node has all of it` };
  return { field: 'nodes', text: `needs ${need} nodes with ${what} each, the pilot has ${fitting}` };
}

/** What slots ask for, in words: `4 cores and 1 GPU`. */
export function slotWords({ cores, gpu, memory }: Shape, slots = 1): string {
  const words = [
    ...(cores > 0 ? [count(cores * slots, 'core')] : []),
    ...(gpu > 0 ? [count((gpu * slots) / WHOLE, 'GPU')] : []),
    ...(memory > 0 ? [formatBytes(memory * slots)] : []),
  ];
  return words.length < 2 ? (words[0] ?? 'a place') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `1 core`, `4 cores`. */
export function count(amount: number, thing: string): string {
  return `${amount} ${thing}${amount === 1 ? '' : 's'}`;
}

function gpusFor({ gpus }: Capacity, { gpu }: Shape): number {
  return gpu === 0 ? Number.POSITIVE_INFINITY : gpuSlots(gpus.length, gpu);
}

/** How many slots fit on an empty node. */
function slotsOf(node: Capacity, shape: Shape): number {
  const { cores, memory } = shape;
  return Math.floor(
    Math.min(
      cores > 0 ? node.cores / cores : Number.MAX_SAFE_INTEGER,
      memory > 0 ? (node.memory ?? Number.MAX_VALUE) / memory : Number.MAX_SAFE_INTEGER,
      gpusFor(node, shape),
    ),
  );
}
