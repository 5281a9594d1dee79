import type { Capacity, Place } from './demand.js';
import type { Shape } from './shape.js';
import { Share } from './share.js';

/** All of a device, in hundredths. */
export const WHOLE = 100;

/** More slots than anybody asks for, where a node has no limit. */
const MANY = 2 ** 24;

/**
 * How many that take nothing may run on a node at once. They mostly wait, so many fit on a core; without a bound a large
 * set of them would take all the processes and memory that the node has.
 */
function roomFor(cores: number): number {
  return 64 + 32 * cores;
}

/** What is free on each node, in typed arrays. Knows nothing of who waits. */
export class Nodes {
  readonly capacities: readonly Capacity[];
  readonly count: number;
  /** The most that any node has. */
  readonly largest: { readonly cores: number; readonly gpus: number; readonly memory: number };
  readonly freeCores: Int32Array;
  readonly freeMemory: Float64Array;
  /** Whole free devices × 100 + the largest rest of a device in use: what one slot may ask for at most. */
  readonly freeGpu: Int32Array;
  /** The largest rest of a device in use. */
  readonly rest: Uint8Array;
  readonly freeLight: Int32Array;
  /** Grants on it. */
  readonly grants: Int32Array;
  /** Nodes before this one have no room for more that take nothing. */
  #lightFrom = 0;
  readonly #words: number;
  readonly #mask: Int32Array;
  readonly #perNode: number;
  /** Hundredths free of each device; 255: there is none. */
  readonly #devices: Uint8Array;

  constructor(capacities: readonly Capacity[]) {
    this.capacities = capacities;
    this.count = capacities.length;
    this.freeCores = Int32Array.from(capacities, ({ cores }) => cores);
    this.freeMemory = Float64Array.from(capacities, ({ memory }) => memory ?? Number.POSITIVE_INFINITY);
    this.freeGpu = Int32Array.from(capacities, ({ gpus }) => gpus.length * WHOLE);
    this.rest = new Uint8Array(this.count);
    this.freeLight = Int32Array.from(capacities, ({ cores }) => roomFor(cores));
    this.grants = new Int32Array(this.count);
    const most = (of: (node: Capacity) => number) => capacities.reduce((best, node) => Math.max(best, of(node)), 0);
    this.largest = {
      cores: most(({ cores }) => cores),
      gpus: most(({ gpus }) => gpus.length),
      memory: most(({ memory }) => memory ?? 0),
    };
    this.#words = Math.max(1, Math.ceil(this.largest.cores / 32));
    this.#mask = new Int32Array(this.count * this.#words);
    this.#perNode = this.largest.gpus;
    this.#devices = new Uint8Array(this.count * this.#perNode).fill(255);
    for (const [node, { cores, gpus }] of capacities.entries()) {
      for (let core = 0; core < cores; core += 1) this.#setCore(node, core);
      this.#devices.fill(WHOLE, node * this.#perNode, node * this.#perNode + gpus.length);
    }
  }

  /** Whether one slot fits now. */
  fits(node: number, { cores, gpu, memory, light }: Shape): boolean {
    if (light) return (this.freeLight[node] ?? 0) > 0;
    return (
      cores <= (this.freeCores[node] ?? 0) && gpu <= (this.freeGpu[node] ?? 0) && memory <= (this.freeMemory[node] ?? 0)
    );
  }

  /** How many slots fit now. */
  slotsFit(node: number, shape: Shape): number {
    if (!this.fits(node, shape)) return 0;
    if (shape.light) return this.freeLight[node] ?? 0;
    let slots = MANY;
    if (shape.cores > 0) slots = Math.min(slots, Math.floor((this.freeCores[node] ?? 0) / shape.cores));
    if (shape.memory > 0) slots = Math.min(slots, Math.floor((this.freeMemory[node] ?? 0) / shape.memory));
    if (shape.gpu > 0) slots = Math.min(slots, this.#gpuSlots(node, shape.gpu));
    return slots;
  }

  /** The first node with room for one more that takes nothing; the number of nodes: there is none. */
  firstLight(): number {
    while (this.#lightFrom < this.count && (this.freeLight[this.#lightFrom] ?? 0) <= 0) this.#lightFrom += 1;
    return this.#lightFrom;
  }

  /** Takes slots that fit. */
  take(node: number, shape: Shape, slots: number): Share {
    const cores = shape.cores * slots;
    const words = this.#takeCores(node, cores);
    const devices: number[] = [];
    if (shape.gpu > 0) {
      for (let slot = 0; slot < slots; slot += 1) this.#takeGpu(node, shape.gpu, devices);
      this.#countGpus(node);
    }
    return this.#count(node, shape, slots, words, devices);
  }

  /** Takes what has run before, whether it fits or not; numbers and names that are known are kept. */
  book(node: number, shape: Shape, slots: number, at: Place): Share {
    const words = at.cores ? this.#takeThese(node, at.cores) : this.#takeCores(node, shape.cores * slots);
    const devices: number[] = [];
    if (shape.gpu > 0) {
      const known = (at.gpus ?? [])
        .map((name) => this.capacities[node]?.gpus.indexOf(name) ?? -1)
        .filter((device) => device >= 0);
      if (known.length > 0) this.#takeDevices(node, shape.gpu * slots, known, devices);
      else for (let slot = 0; slot < slots; slot += 1) this.#takeGpu(node, shape.gpu, devices);
      this.#countGpus(node);
    }
    return this.#count(node, shape, slots, words, devices);
  }

  give(share: Share): void {
    const { node } = share;
    this.freeCores[node] = (this.freeCores[node] ?? 0) + share.coreCount;
    this.freeMemory[node] = (this.freeMemory[node] ?? 0) + share.memory;
    if (share.light > 0) {
      this.freeLight[node] = (this.freeLight[node] ?? 0) + share.light;
      this.#lightFrom = Math.min(this.#lightFrom, node);
    }
    this.grants[node] = (this.grants[node] ?? 0) - 1;
    const base = node * this.#words;
    for (let word = 0; word < share.coreWords.length; word += 1) {
      this.#mask[base + word] = (this.#mask[base + word] ?? 0) | (share.coreWords[word] ?? 0);
    }
    if (share.devices.length === 0) return;
    for (const one of share.devices) {
      const device = node * this.#perNode + (one >> 7);
      this.#devices[device] = (this.#devices[device] ?? 0) + (one & 127);
    }
    this.#countGpus(node);
  }

  #count(node: number, shape: Shape, slots: number, words: number[], devices: number[]): Share {
    const cores = shape.cores * slots;
    const memory = shape.memory * slots;
    const light = shape.light ? slots : 0;
    this.freeCores[node] = (this.freeCores[node] ?? 0) - cores;
    this.freeMemory[node] = (this.freeMemory[node] ?? 0) - memory;
    this.freeLight[node] = (this.freeLight[node] ?? 0) - light;
    this.grants[node] = (this.grants[node] ?? 0) + 1;
    return new Share(node, slots, { cores, gpu: shape.gpu * slots, memory, light }, words, devices);
  }

  #takeCores(node: number, cores: number): number[] {
    const words: number[] = [];
    const base = node * this.#words;
    let left = cores;
    for (let word = 0; word < this.#words && left > 0; word += 1) {
      let free = this.#mask[base + word] ?? 0;
      let taken = 0;
      for (; free !== 0 && left > 0; left -= 1) {
        const bit = free & -free;
        taken |= bit;
        free ^= bit;
      }
      this.#mask[base + word] = free;
      words.push(taken);
    }
    return words;
  }

  #takeThese(node: number, cores: readonly number[]): number[] {
    const words: number[] = Array.from({ length: this.#words }, () => 0);
    for (const core of cores) {
      const at = node * this.#words + (core >> 5);
      const bit = 1 << (core & 31);
      if (core >> 5 >= this.#words || ((this.#mask[at] ?? 0) & bit) === 0) continue;
      this.#mask[at] = (this.#mask[at] ?? 0) & ~bit;
      words[core >> 5] = (words[core >> 5] ?? 0) | bit;
    }
    return words;
  }

  #setCore(node: number, core: number): void {
    const at = node * this.#words + (core >> 5);
    this.#mask[at] = (this.#mask[at] ?? 0) | (1 << (core & 31));
  }

  #gpuSlots(node: number, gpu: number): number {
    const whole = Math.floor(gpu / WHOLE);
    const free = Math.floor((this.freeGpu[node] ?? 0) / WHOLE);
    if (gpu % WHOLE === 0) return Math.floor(free / whole);
    // The rests of devices may serve a first slot with a whole device and a part; beyond that each takes a device more.
    if (whole > 0) return Math.max(1, Math.floor(free / (whole + 1)));
    let slots = 0;
    const base = node * this.#perNode;
    for (let device = 0; device < this.#perNode; device += 1) {
      const rest = this.#devices[base + device] ?? 255;
      if (rest <= WHOLE) slots += Math.floor(rest / gpu);
    }
    return slots;
  }

  /** One slot: whole devices first, then the part on the fullest device that has room for it. */
  #takeGpu(node: number, gpu: number, into: number[]): void {
    const base = node * this.#perNode;
    let whole = Math.floor(gpu / WHOLE);
    for (let device = 0; device < this.#perNode && whole > 0; device += 1) {
      if (this.#devices[base + device] !== WHOLE) continue;
      this.#devices[base + device] = 0;
      into.push((device << 7) + WHOLE);
      whole -= 1;
    }
    const part = gpu % WHOLE;
    if (part === 0) return;
    let best = -1;
    let bestRest = 255;
    for (let device = 0; device < this.#perNode; device += 1) {
      const rest = this.#devices[base + device] ?? 255;
      if (rest <= WHOLE && rest >= part && rest < bestRest) {
        best = device;
        bestRest = rest;
      }
    }
    if (best < 0) return; // Only what is booked may not fit: it then shares with others until they end.
    this.#devices[base + best] = bestRest - part;
    into.push((best << 7) + part);
  }

  /** Takes so much of these devices: a whole of each as long as there is, then the part. */
  #takeDevices(node: number, gpu: number, devices: readonly number[], into: number[]): void {
    let left = gpu;
    for (const [index, device] of devices.entries()) {
      const wanted = Math.min(WHOLE, index === devices.length - 1 ? left : Math.ceil(left / (devices.length - index)));
      const at = node * this.#perNode + device;
      const taken = Math.min(wanted, this.#devices[at] ?? 0);
      if (taken <= 0) continue;
      this.#devices[at] = (this.#devices[at] ?? 0) - taken;
      into.push((device << 7) + taken);
      left -= taken;
    }
  }

  #countGpus(node: number): void {
    const base = node * this.#perNode;
    let whole = 0;
    let rest = 0;
    for (let device = 0; device < this.#perNode; device += 1) {
      const free = this.#devices[base + device] ?? 255;
      if (free === WHOLE) whole += 1;
      else if (free < WHOLE && free > rest) rest = free;
    }
    this.rest[node] = rest;
    this.freeGpu[node] = whole * WHOLE + rest;
  }
}
