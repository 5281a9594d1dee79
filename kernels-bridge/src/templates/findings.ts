import { execFile } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { formatBytes } from '@pilothouse/sdk/internal';
import type { Finding, LaunchPlan } from './template.js';
import { lookAtWeights, type Weights } from './weights.js';

/** What a look before a launch knows of where the service will run. */
export interface Site {
  readonly gpus: number;
  /** Memory of each GPU in bytes; empty: nobody can tell. */
  readonly gpuMemory: readonly number[];
  /** Whether what lies here is what the instances will see. */
  readonly sameFiles: boolean;
  /** PATH of the service; null: its environment brings its own. */
  readonly path: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** Weights there? Memory of the GPUs enough? Context fits? Program there? */
export async function findings(plan: LaunchPlan, site: Site): Promise<Finding[]> {
  const found: Finding[] = [];
  const program = await lookForProgram(plan, site);
  if (program !== null) found.push(program);
  const { weights, context } = plan.checks;
  if (weights === undefined) return found;
  if (!weights.isPath) return [...found, await lookInHub(weights.at, plan, site)];
  const seen = await lookSafely(weights.at);
  if (seen.remedy !== null) {
    const fatal = site.sameFiles ? { fatal: `params.${weights.field}` } : {};
    return [...found, { ok: false, text: seen.text, remedy: seen.remedy, ...fatal }];
  }
  found.push({ ok: true, text: `${seen.text} (${formatBytes(seen.bytes)})`, remedy: null });
  if (context !== undefined && seen.context !== null) found.push(compareContext(context, seen.context));
  if (site.gpus > 0) found.push(compareMemory(seen.bytes, plan.checks.gpuShare ?? 1, site));
  return found;
}

type Context = NonNullable<LaunchPlan['checks']['context']>;

async function lookSafely(path: string): Promise<Weights> {
  try {
    return await lookAtWeights(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { text: `${path} cannot be read: ${why}`, remedy: 'Check who may read it.', bytes: 0, context: null };
  }
}

function compareContext({ tokens, field, strict }: Context, most: number): Finding {
  if (tokens <= most) return { ok: true, text: `a context of ${tokens} tokens fits the model's ${most}`, remedy: null };
  return {
    ok: false,
    text: `a context of ${tokens} tokens is more than the model's ${most}`,
    remedy: `Ask for at most ${most}.`,
    ...(strict ? { fatal: `params.${field}` } : {}),
  };
}

function compareMemory(bytes: number, share: number, { gpus, gpuMemory }: Site): Finding {
  if (gpuMemory.length === 0) {
    return {
      ok: true,
      text: `the memory of the ${gpus === 1 ? 'GPU' : 'GPUs'} is not known before the start`,
      remedy: null,
    };
  }
  const [smallest = 0] = [...gpuMemory].sort((a, b) => a - b);
  const room = smallest * gpus * share;
  const has = `${gpus} ${gpus === 1 ? 'GPU' : 'GPUs'} of ${formatBytes(smallest)}`;
  if (bytes < room) return { ok: true, text: `${formatBytes(bytes)} of weights fit into ${has}`, remedy: null };
  return {
    ok: false,
    text: `${formatBytes(bytes)} of weights do not fit into ${has}, of which ${Math.round(share * 100)} % may be used`,
    remedy: 'Ask for more GPUs, or take quantized weights.',
  };
}

/** A name in a hub: is it in the cache of this user? */
async function lookInHub(name: string, { env }: LaunchPlan, site: Site): Promise<Finding> {
  const cache = env.HF_HOME ?? site.env.HF_HOME ?? join(site.home, '.cache', 'huggingface');
  const folder = join(cache, 'hub', `models--${name.replaceAll('/', '--')}`, 'snapshots');
  const revisions = await readdir(folder).catch(() => []);
  if (revisions.length > 0) return { ok: true, text: `${name} is in the hub cache at ${cache}`, remedy: null };
  const offline = env.HF_HUB_OFFLINE === '1';
  return {
    ok: !offline && !site.sameFiles,
    text: `${name} is not in the hub cache at ${cache}${offline ? ', and nothing will be fetched' : ''}`,
    remedy: offline
      ? 'Name the folder of the weights, fetch it into the cache first, or turn "offline" off.'
      : 'It is fetched at the start where the node has a way out; this may take long.',
  };
}

async function lookForProgram({ command, environment, setup }: LaunchPlan, site: Site): Promise<Finding | null> {
  const [program = ''] = command;
  // An environment, a module or a shell line may bring it: then only the start can tell.
  if (!site.sameFiles || site.path === null || environment !== undefined || setup.length > 0) return null;
  const places = isAbsolute(program) ? [program] : site.path.split(delimiter).map((folder) => join(folder, program));
  for (const place of places) {
    const isThere = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return { ok: true, text: `the program is ${place}`, remedy: null };
  }
  return {
    ok: false,
    text: `there is no program "${program}" on the PATH`,
    remedy: 'Name the environment that has it (conda, venv, modules or a container).',
  };
}

const run = promisify(execFile);

/** Memory of each GPU of this machine in bytes; empty where there is none, or none that tells. */
export async function gpuMemoryHere(): Promise<number[]> {
  try {
    const { stdout } = await run('nvidia-smi', ['--query-gpu=memory.total', '--format=csv,noheader,nounits'], {
      timeout: 10_000,
    });
    return stdout
      .split('\n')
      .map((line) => Number(line.trim()) * 1024 ** 2)
      .filter((bytes) => bytes > 0);
  } catch {
    return []; // No NVIDIA GPU here, or its driver does not answer.
  }
}
