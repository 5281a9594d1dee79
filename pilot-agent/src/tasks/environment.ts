import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Grant } from '../scheduler/demand.js';

/** Variables by which the usual number libraries are told how many threads to use. */
const THREAD_VARIABLES = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMEXPR_NUM_THREADS'];

/** Variable that names the task or instance a process belongs to. */
export const ID_VARIABLE = 'PILOTHOUSE_TASK_ID';
/** Variable that names the one start it comes from, as an instance may start again; what carries it ends with it. */
export const SPAWN_VARIABLE = 'PILOTHOUSE_SPAWN_ID';
export const PILOT_VARIABLE = 'PILOTHOUSE_PILOT';

/**
 * The whole environment of a process: what the description gives, what follows from what it was granted, and by what
 * it is known. Nothing of the agent's own.
 */
export function environmentOf(
  id: string,
  attempt: number,
  pilot: string,
  given: Readonly<Record<string, string>>,
  grant: Grant,
): Record<string, string> {
  const threads = Object.fromEntries(THREAD_VARIABLES.map((name) => [name, String(grant.demand.cores)]));
  const gpus = grant.gpus.length > 0 ? { CUDA_VISIBLE_DEVICES: grant.gpus.join(',') } : {};
  return {
    ...threads,
    ...gpus,
    ...given,
    [ID_VARIABLE]: id,
    [SPAWN_VARIABLE]: `${id}:${attempt}`,
    [PILOT_VARIABLE]: pilot,
  };
}

/** Makes the private folder of a task that asked for one. */
export async function makeSandbox(pilotFolder: string, id: string): Promise<string> {
  const folder = join(pilotFolder, 'sandboxes', id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}
