import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { PilotFile, ResolvedTaskDescription, SpooledTask } from '@pilothouse/sdk/shared';
import type { Grant } from '../scheduler/demand.js';
import type { Submission } from './work.js';

type Variables = Readonly<Record<string, string>>;

/** Variables by which the usual number libraries are told how many threads to use. */
const THREAD_VARIABLES = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMEXPR_NUM_THREADS'];

/** Variable that names the task or instance a process belongs to. */
export const ID_VARIABLE = 'PILOTHOUSE_TASK_ID';
/** Variable that names the one start it comes from, as an instance may start again; what carries it ends with it. */
export const SPAWN_VARIABLE = 'PILOTHOUSE_SPAWN_ID';
export const PILOT_VARIABLE = 'PILOTHOUSE_PILOT';
/** Variable that names the folder for checkpoints. */
export const CHECKPOINT_VARIABLE = 'PILOTHOUSE_CHECKPOINT';

/**
 * The whole environment of an instance: what the description gives, what follows from what it was granted, and by what
 * it is known. Nothing of the agent's own.
 */
export function environmentOf(
  id: string,
  attempt: number,
  pilot: string,
  given: Variables,
  grant: Grant,
): Record<string, string> {
  const gpus = grant.gpus.length > 0 ? { CUDA_VISIBLE_DEVICES: grant.gpus.join(',') } : {};
  return { ...threads(grant.demand.cores), ...gpus, ...given, ...known(id, attempt, pilot) };
}

const shared = new WeakMap<Submission, Map<number, Variables>>();

/** What the tasks of a batch start from: the same object for all that have the same cores and no variables of their own. */
export function sharedEnvironment(submission: Submission, entry: SpooledTask['entry'], cores: number): Variables {
  if (entry.env !== undefined) return { ...threads(cores), ...submission.env };
  let byCores = shared.get(submission);
  if (byCores === undefined) {
    byCores = new Map();
    shared.set(submission, byCores);
  }
  let env = byCores.get(cores);
  if (env === undefined) {
    env = { ...threads(cores), ...submission.env, ...submission.template.env };
    byCores.set(cores, env);
  }
  return env;
}

/** What comes on top for one attempt alone. */
export function ownEnvironment(
  id: string,
  attempt: number,
  pilot: PilotFile,
  description: ResolvedTaskDescription,
  entry: SpooledTask['entry'],
  gpus: readonly string[] | undefined,
  caller: string,
): Record<string, string> {
  const { env, checkpoint } = description;
  return {
    ...entry.env,
    ...visibleGpus(pilot, env, gpus),
    ...(checkpoint === undefined ? {} : { [CHECKPOINT_VARIABLE]: resolve(caller, checkpoint) }),
    ...known(id, attempt, pilot.id),
  };
}

/** A task sees the GPUs it was granted, and none where it was granted none; its own word in `env` counts more. */
function visibleGpus(pilot: PilotFile, env: Variables, gpus: readonly string[] | undefined): Variables {
  if (pilot.gpus === 0 || gpus === undefined) return {};
  const name = pilot.gpuVendor === 'amd' ? 'ROCR_VISIBLE_DEVICES' : 'CUDA_VISIBLE_DEVICES';
  return name in env ? {} : { [name]: gpus.join(',') };
}

function threads(cores: number): Record<string, string> {
  // What has no core of its own only waits; number libraries read 0 as "all there are".
  const count = String(Math.max(1, cores));
  return Object.fromEntries(THREAD_VARIABLES.map((name) => [name, count]));
}

function known(id: string, attempt: number, pilot: string): Record<string, string> {
  return { [ID_VARIABLE]: id, [SPAWN_VARIABLE]: `${id}:${attempt}`, [PILOT_VARIABLE]: pilot };
}

/** Makes the private folder of a task that asked for one. */
export async function makeSandbox(pilotFolder: string, id: string): Promise<string> {
  const folder = sandboxOf(pilotFolder, id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function sandboxOf(pilotFolder: string, id: string): string {
  return join(pilotFolder, 'sandboxes', id);
}

/** Absolute working directory of a task. A path may begin with `~/`. */
export function folderOf(
  pilot: PilotFile,
  id: string,
  { cwd: caller, env }: Submission,
  { sandbox, cwd }: Pick<ResolvedTaskDescription, 'sandbox' | 'cwd'>,
): string {
  if (sandbox) return sandboxOf(pilot.folder, id);
  if (cwd === undefined) return caller;
  if (cwd === '~' || cwd.startsWith('~/')) return join(env.HOME ?? homedir(), cwd.slice(1));
  return resolve(caller, cwd);
}
