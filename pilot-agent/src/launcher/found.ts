import { readFileSync } from 'node:fs';
import type { Seen } from './warden-messages.js';

/** Names of the GPUs that a process, started by an earlier agent, was given; its environment says so. */
export function gpusOf(seen: Seen): string[] {
  if (seen.state !== 'running') return [];
  try {
    const variables = readFileSync(`/proc/${seen.pid}/environ`, 'utf8').split('\0');
    const names = variables.find((variable) => variable.startsWith('CUDA_VISIBLE_DEVICES='))?.split('=')[1];
    return names ? names.split(',') : [];
  } catch {
    return []; // It has ended in the meantime, and uses none any more.
  }
}
