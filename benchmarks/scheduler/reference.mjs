// A slow placer that is plainly right: at each tick it goes through everybody in order and looks at every node.

import { NODE } from './mix.mjs';

/** Share of the nodes in use, mean over the ticks until the last one starts. */
export function referenceUtilisation(mix, nodeCount) {
  const nodes = Array.from({ length: nodeCount }, () => ({
    cores: NODE.cores,
    memory: NODE.memory,
    gpus: NODE.gpus.map(() => 100),
    freeGpu: 100 * NODE.gpus.length,
    tags: [],
  }));
  let waiting = mix
    .map((one, index) => ({ ...one, index }))
    .sort((a, b) => (a.kind === b.kind ? b.priority - a.priority || a.index - b.index : a.kind === 'service' ? -1 : 1));
  const ends = new Map();
  let busy = 0;
  let sum = 0;
  for (let tick = 0; ; tick += 1) {
    for (const { one, spots } of ends.get(tick) ?? []) {
      busy -= loadOf(one);
      for (const spot of spots) giveBack(one.demand, spot);
    }
    const failed = new Set();
    const left = [];
    for (const one of waiting) {
      // What did not fit a moment ago does not fit now: in between, nodes have only become fuller.
      const shape = JSON.stringify(one.demand);
      const spots = failed.has(shape) ? undefined : place(one.demand, nodes);
      if (spots === undefined) {
        failed.add(shape);
        left.push(one);
        continue;
      }
      busy += loadOf(one);
      const end = tick + one.ticks;
      ends.set(end, [...(ends.get(end) ?? []), { one, spots }]);
    }
    waiting = left;
    if (waiting.length === 0) return tick === 0 ? busy / nodeCount : sum / tick / nodeCount;
    sum += busy;
  }
}

/** What one holds, in nodes: the mean of its parts of cores and of GPUs. */
export function loadOf({ demand }) {
  const slots = demand.slots ?? demand.nodes ?? 1;
  return (slots * (demand.cores / NODE.cores + demand.gpus / NODE.gpus.length)) / 2;
}

function place(demand, nodes) {
  const { slots = demand.nodes ?? 1, near = [], apart = [], tags = [] } = demand;
  const anyNear = near.length > 0 && nodes.some((node) => near.some((tag) => node.tags.includes(tag)));
  const isOpen = (node) =>
    !apart.some((tag) => node.tags.includes(tag)) && (!anyNear || near.some((tag) => node.tags.includes(tag)));
  const open = near.length + apart.length > 0 ? nodes.filter(isOpen) : nodes;
  const spots = [];
  const used = new Set();
  for (let slot = 0; slot < slots; slot += 1) {
    let best;
    let rest = Number.POSITIVE_INFINITY;
    for (const node of open) {
      if ((demand.nodes !== undefined && used.has(node)) || !fits(demand, node)) continue;
      const free = node.cores / NODE.cores + node.freeGpu / (100 * NODE.gpus.length);
      if (free >= rest) continue;
      rest = free;
      best = node;
    }
    if (best === undefined) {
      for (const spot of spots) giveBack(demand, spot);
      return undefined;
    }
    used.add(best);
    spots.push(take(demand, best, tags));
  }
  return spots;
}

function fits({ cores, gpus, memory }, node) {
  if (node.cores < cores || node.memory < (memory ?? 0)) return false;
  if (node.freeGpu < gpus * 100) return false;
  return gpus < 1
    ? gpus === 0 || node.gpus.some((part) => part >= Math.round(gpus * 100))
    : node.gpus.filter((part) => part === 100).length >= gpus;
}

function take({ cores, gpus, memory }, node, tags) {
  node.cores -= cores;
  node.memory -= memory ?? 0;
  node.tags.push(...tags);
  const parts = [];
  if (gpus >= 1) {
    for (let device = 0; parts.length < gpus; device += 1) if (node.gpus[device] === 100) parts.push([device, 100]);
  } else if (gpus > 0) {
    const part = Math.round(gpus * 100);
    const device = node.gpus.indexOf(Math.min(...node.gpus.filter((free) => free >= part)));
    parts.push([device, part]);
  }
  for (const [device, part] of parts) {
    node.gpus[device] -= part;
    node.freeGpu -= part;
  }
  return { node, parts, tags };
}

function giveBack({ cores, memory }, { node, parts, tags }) {
  node.cores += cores;
  node.memory += memory ?? 0;
  for (const tag of tags) node.tags.splice(node.tags.indexOf(tag), 1);
  for (const [device, part] of parts) {
    node.gpus[device] += part;
    node.freeGpu += part;
  }
}
