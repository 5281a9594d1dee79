import { Gangs } from './gangs.js';
import type { Ledger } from './ledger.js';
import type { Line } from './lines.js';
import { type Nodes, WHOLE } from './nodes.js';
import type { Shape } from './shape.js';

/** A node that is kept for somebody, and what others may still take of it without ever being in the way. */
export interface Kept {
  readonly node: number;
  cores: number;
  /** Hundredths; a part of a device counts as all of it. */
  gpu: number;
  memory: number;
}

/**
 * Nodes kept for one who was passed too often. Whatever runs on them now will end, and what starts on them in the meantime
 * either fits beside what they are kept for, or says that it ends before the others do. So it starts at the latest when what
 * ran at this moment has ended.
 */
export class Keeping {
  readonly ticket: number;
  readonly line: Line;
  readonly nodes = new Map<number, Kept>();
  /** When all that runs on them will have ended, in milliseconds since 1970; Infinity: not known. */
  readonly readyAt: number;
  /** What its nodes offer by now. */
  offered = 0;
  readonly #offers = new Map<number, number>();

  constructor(ticket: number, line: Line, readyAt: number) {
    this.ticket = ticket;
    this.line = line;
    this.readyAt = readyAt;
  }

  get need(): number {
    return Gangs.need(this.line.shape);
  }

  keep(kept: Kept, offer: number): void {
    this.nodes.set(kept.node, kept);
    this.#offers.set(kept.node, offer);
    this.offered += offer;
  }

  /** What the node offers has changed. */
  update(node: number, offer: number): void {
    const before = this.#offers.get(node);
    if (before === undefined) return;
    this.#offers.set(node, offer);
    this.offered += offer - before;
  }

  /** Lets go of a node. */
  drop(node: number): void {
    this.offered -= this.#offers.get(node) ?? 0;
    this.#offers.delete(node);
    this.nodes.delete(node);
  }

  /** One of its nodes that offers nothing yet. */
  laggard(): number | undefined {
    for (const [node, offer] of this.#offers) if (offer === 0) return node;
    return undefined;
  }
}

/** What of a node nobody needs when it is kept for this shape. */
export function keptNode(node: number, shape: Shape, nodes: Nodes, ledger: Ledger): Kept {
  const capacity = nodes.capacities[node];
  const slots = Math.max(1, shape.perNode);
  if (capacity === undefined || (shape.slots > 1 && shape.perNode === 0)) return { node, cores: 0, gpu: 0, memory: 0 };
  return {
    node,
    cores: capacity.cores - shape.cores * slots - (ledger.lastingCores[node] ?? 0),
    gpu: capacity.gpus.length * WHOLE - devices(shape.gpu) * slots - (ledger.lastingGpu[node] ?? 0),
    memory: (capacity.memory ?? Number.POSITIVE_INFINITY) - shape.memory * slots - (ledger.lastingMemory[node] ?? 0),
  };
}

/** Whether there is still room on it for this, beside what it is kept for. */
export function fitsBeside({ cores, gpu, memory }: Kept, shape: Shape): boolean {
  return shape.cores <= cores && devices(shape.gpu) <= gpu && shape.memory <= memory;
}

/** Counts what was let in beside (1) or has ended (-1). */
export function countBeside(kept: Kept, shape: Shape, sign: 1 | -1): void {
  kept.cores -= sign * shape.cores;
  kept.gpu -= sign * devices(shape.gpu);
  kept.memory -= sign * shape.memory;
}

/** Hundredths of the devices that are touched. */
function devices(gpu: number): number {
  return Math.ceil(gpu / WHOLE) * WHOLE;
}

/**
 * The nodes to keep for a shape: those that are soonest free as far as one knows, and that services leave enough of;
 * undefined: there are too few.
 */
export function nodesToKeep(
  shape: Shape,
  nodes: Nodes,
  ledger: Ledger,
  allowed: (node: number) => boolean,
  now: number,
): number[] | undefined {
  const need = Gangs.need(shape);
  const found: { node: number; offer: number; score: number }[] = [];
  for (let node = 0; node < nodes.count; node += 1) {
    const offer = lastingOffer(node, shape, nodes, ledger);
    if (offer === 0 || !allowed(node)) continue;
    found.push({ node, offer, score: score(node, shape, nodes, ledger, now) });
  }
  found.sort((a, b) => a.score - b.score || a.node - b.node);
  const chosen: number[] = [];
  let offered = 0;
  for (const { node, offer } of found) {
    if (offered >= need) break;
    chosen.push(node);
    offered += offer;
  }
  return offered >= need ? chosen : undefined;
}

/** What a node offers once all its tasks have ended. */
function lastingOffer(node: number, shape: Shape, nodes: Nodes, ledger: Ledger): number {
  const capacity = nodes.capacities[node];
  if (capacity === undefined) return 0;
  const slots = Math.floor(
    Math.min(
      shape.cores > 0 ? (capacity.cores - (ledger.lastingCores[node] ?? 0)) / shape.cores : Number.MAX_SAFE_INTEGER,
      shape.gpu > 0
        ? gpuSlots(capacity.gpus.length - (ledger.lastingGpu[node] ?? 0) / WHOLE, shape.gpu)
        : Number.MAX_SAFE_INTEGER,
      shape.memory > 0
        ? ((capacity.memory ?? Number.POSITIVE_INFINITY) - (ledger.lastingMemory[node] ?? 0)) / shape.memory
        : Number.MAX_SAFE_INTEGER,
    ),
  );
  if (shape.slots === 1) return slots >= 1 ? 1 : 0;
  if (shape.perNode > 0) return slots >= shape.perNode ? 1 : 0;
  return Math.max(0, slots);
}

/** How many slots fit on so many whole devices. */
export function gpuSlots(whole: number, gpu: number): number {
  if (gpu < WHOLE) return whole * Math.floor(WHOLE / gpu);
  return Math.floor(whole / Math.ceil(gpu / WHOLE));
}

/** Seconds until it is free where that is known; otherwise so long that what is known comes first, by what is missing. */
function score(node: number, shape: Shape, nodes: Nodes, ledger: Ledger, now: number): number {
  if (nodes.fits(node, shape)) return 0;
  const emptyAt = ledger.emptyAt(node);
  if (Number.isFinite(emptyAt)) return Math.max(0, emptyAt - now) / 1000;
  const missing = (need: number, free: number) => (need > free ? (need - free) / need : 0);
  return (
    1e9 +
    missing(shape.cores, nodes.freeCores[node] ?? 0) +
    missing(shape.gpu, nodes.freeGpu[node] ?? 0) +
    missing(shape.memory, nodes.freeMemory[node] ?? 0)
  );
}
