import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** The GPUs that this process was given. */
export interface Gpus {
  /** Names as CUDA_VISIBLE_DEVICES, or ROCR_VISIBLE_DEVICES, takes them. */
  readonly ids: readonly string[];
  readonly vendor: 'nvidia' | 'amd';
  /** Where that was read. */
  readonly source: string;
}

/** Runs a tool and gives what it says; null: it is not there, or failed. */
export type Ask = (program: string, args: readonly string[]) => string | null;

const PATIENCE_MS = 10_000;
const NONE: Gpus = { ids: [], vendor: 'nvidia', source: '' };

/**
 * Finds the GPUs: what a surrounding job made visible, else what the vendor's tool lists. The tools take a second, so
 * they are asked only where a driver is loaded.
 */
export function findGpus(env: Readonly<NodeJS.ProcessEnv>, ask: Ask = say, isThere = existsSync): Gpus {
  for (const [name, vendor] of VARIABLES) {
    const value = env[name];
    if (value !== undefined) return { ids: named(value), vendor, source: name };
  }
  if (isThere('/dev/nvidiactl') || isThere('/proc/driver/nvidia/gpus')) {
    const listed = ask('nvidia-smi', ['-L']);
    if (listed !== null) return { ids: parseNvidia(listed), vendor: 'nvidia', source: 'nvidia-smi' };
    return { ids: numbered(driverCount()), vendor: 'nvidia', source: 'the NVIDIA driver' };
  }
  if (isThere('/dev/kfd')) {
    const listed = ask('rocm-smi', ['--showid', '--json']);
    if (listed !== null) return { ids: numbered(parseRocm(listed)), vendor: 'amd', source: 'rocm-smi' };
  }
  return NONE;
}

const VARIABLES = [
  ['CUDA_VISIBLE_DEVICES', 'nvidia'],
  ['ROCR_VISIBLE_DEVICES', 'amd'],
  ['HIP_VISIBLE_DEVICES', 'amd'],
] as const;

function named(value: string): string[] {
  const names = value.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '' && name !== '-1');
}

/**
 * `nvidia-smi -L`: one line per GPU, and below one that is partitioned one per part (MIG), which then are what programs
 * can use. UUIDs and not indices: CUDA numbers GPUs in an order of its own.
 */
export function parseNvidia(text: string): string[] {
  const ids: string[] = [];
  let partitioned = false;
  for (const line of text.split('\n')) {
    const [, kind, uuid] = /^\s*(GPU|MIG) .*\(UUID: ((?:GPU|MIG)-[^)]+)\)/.exec(line) ?? [];
    if (uuid === undefined) continue;
    if (kind === 'GPU') partitioned = false;
    else if (!partitioned) {
      ids.pop();
      partitioned = true;
    }
    ids.push(uuid);
  }
  return ids;
}

/** `{"card0": {…}, "card1": {…}, "system": {…}}` */
function parseRocm(text: string): number {
  try {
    const cards: unknown = JSON.parse(text);
    return Object.keys(cards ?? {}).filter((name) => /^card\d+$/.test(name)).length;
  } catch {
    return 0; // A warning instead of JSON: it knows of none.
  }
}

function driverCount(): number {
  try {
    return readdirSync('/proc/driver/nvidia/gpus').length;
  } catch {
    return 0; // The device is there and the driver tells nothing: none that could be named.
  }
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

function say(program: string, args: readonly string[]): string | null {
  try {
    return execFileSync(program, [...args], {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return null; // Not installed, or the driver does not answer it.
  }
}
