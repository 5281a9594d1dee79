import { execFile } from 'node:child_process';
import type { PilotFile } from '@pilothouse/sdk/shared';

/** How often GPUs are looked at, while a task holds one: rarely enough that looking costs nothing. */
const LOOK_MS = 5000;
const PATIENCE_MS = 4000;

/** What GPUs did while a task had them. */
export interface GpuUsage {
  /** 0 to 1 */
  readonly gpuUtil: number;
  /** bytes */
  readonly gpuMemoryPeak: number;
}

interface Sample {
  readonly util: number;
  readonly memory: number;
}

interface Watched {
  readonly gpus: readonly string[];
  looks: number;
  util: number;
  memory: number;
}

/** Looks at the GPUs that tasks hold, from the first to the last of them that does. */
export class GpuWatch {
  readonly #look: () => Promise<ReadonlyMap<string, Sample>>;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(look: () => Promise<ReadonlyMap<string, Sample>>) {
    this.#look = look;
  }

  watch(task: string, gpus: readonly string[]): void {
    if (gpus.length === 0) return;
    this.#watched.set(task, { gpus, looks: 0, util: 0, memory: 0 });
    this.#timer ??= setInterval(() => void this.#sample(), LOOK_MS);
  }

  /** What was seen of a task's GPUs; undefined: it had none, or ended before anybody looked. */
  take(task: string): GpuUsage | undefined {
    const seen = this.#watched.get(task);
    if (seen === undefined) return undefined;
    this.#watched.delete(task);
    if (this.#watched.size === 0) this.close();
    return seen.looks === 0 ? undefined : { gpuUtil: round(seen.util / seen.looks), gpuMemoryPeak: seen.memory };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #sample(): Promise<void> {
    const samples = await this.#look();
    for (const seen of this.#watched.values()) {
      const own = seen.gpus.flatMap((gpu) => samples.get(gpu) ?? []);
      if (own.length === 0) continue;
      seen.looks += 1;
      seen.util += own.reduce((sum, { util }) => sum + util, 0) / own.length;
      seen.memory = Math.max(
        seen.memory,
        own.reduce((sum, { memory }) => sum + memory, 0),
      );
    }
  }
}

/** Asks the tool of whoever made the GPUs; a node without the tool gives nothing. */
export function gpuTool({ gpuVendor }: PilotFile): () => Promise<ReadonlyMap<string, Sample>> {
  if (gpuVendor === 'amd') {
    return async () => parseRocm(await say('rocm-smi', ['--showuse', '--showmeminfo', 'vram', '--json']));
  }
  const query = ['--query-gpu=index,uuid,utilization.gpu,memory.used', '--format=csv,noheader,nounits'];
  return async () => parseNvidia(await say('nvidia-smi', query));
}

/** `0, GPU-…, 37, 1024` a line, memory in MiB; known by index and by UUID, as CUDA_VISIBLE_DEVICES takes both. */
export function parseNvidia(text: string): Map<string, Sample> {
  const samples = new Map<string, Sample>();
  for (const line of text.split('\n')) {
    const [index, uuid, util, memory] = line.split(',').map((part) => part.trim());
    if (index === undefined || uuid === undefined || index === '') continue;
    // "[N/A]" where a GPU does not tell, such as a MIG device.
    const sample = { util: known(util) / 100, memory: known(memory) * 2 ** 20 };
    samples.set(index, sample);
    samples.set(uuid, sample);
  }
  return samples;
}

/** `{"card0": {"GPU use (%)": "37", "VRAM Total Used Memory (B)": "1073741824"}}` */
export function parseRocm(text: string): Map<string, Sample> {
  const samples = new Map<string, Sample>();
  let cards: unknown;
  try {
    cards = JSON.parse(text);
  } catch {
    return samples; // Warnings instead of JSON: nothing is known.
  }
  if (typeof cards !== 'object' || cards === null) return samples;
  for (const [name, card] of Object.entries(cards)) {
    const index = /^card(\d+)$/.exec(name)?.[1];
    if (index === undefined || typeof card !== 'object' || card === null) continue;
    const fields = new Map<string, unknown>(Object.entries(card));
    const util = known(fields.get('GPU use (%)')) / 100;
    samples.set(index, { util, memory: known(fields.get('VRAM Total Used Memory (B)')) });
  }
  return samples;
}

function known(value: unknown): number {
  const number = Number(value);
  return Number.isFinite(number) ? number : 0;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function say(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, [...args], { timeout: PATIENCE_MS }, (error, stdout) => resolve(error ? '' : stdout));
  });
}
