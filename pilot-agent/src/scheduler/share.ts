import type { GpuShare, NodeShare } from './demand.js';

/** What is granted on one node, kept small: numbers of cores and GPUs are spelled out only when asked for. */
export class Share implements NodeShare {
  readonly node: number;
  readonly slots: number;
  /** How many cores, GPUs (in hundredths) and bytes are counted; after a restart a core may be counted without a number. */
  readonly coreCount: number;
  readonly gpu: number;
  readonly memory: number;
  readonly light: number;
  /** Bits of the cores, 32 to a word. */
  readonly coreWords: readonly number[];
  /** Device × 128 + hundredths of it. */
  readonly devices: readonly number[];

  constructor(
    node: number,
    slots: number,
    counts: { readonly cores: number; readonly gpu: number; readonly memory: number; readonly light: number },
    coreWords: readonly number[],
    devices: readonly number[],
  ) {
    this.node = node;
    this.slots = slots;
    this.coreCount = counts.cores;
    this.gpu = counts.gpu;
    this.memory = counts.memory;
    this.light = counts.light;
    this.coreWords = coreWords;
    this.devices = devices;
  }

  get cores(): readonly number[] {
    const numbers: number[] = [];
    for (const [word, bits] of this.coreWords.entries()) {
      for (let left = bits; left !== 0; left &= left - 1) numbers.push(word * 32 + lowest(left));
    }
    return numbers;
  }

  get gpus(): readonly GpuShare[] {
    const parts = new Map<number, number>();
    for (const one of this.devices) parts.set(one >> 7, (parts.get(one >> 7) ?? 0) + (one & 127));
    return [...parts].sort(([a], [b]) => a - b).map(([index, hundredths]) => ({ index, part: hundredths / 100 }));
  }
}

/** Number of the lowest set bit. */
export function lowest(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
