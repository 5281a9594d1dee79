import { fileURLToPath } from 'node:url';
import { type FunctionReference, PilothouseError } from '@pilothouse/sdk/shared';
import type { Demand } from '../scheduler/demand.js';
import { ID_VARIABLE, PILOT_VARIABLE, SPAWN_VARIABLE } from '../tasks/environment.js';
import type { Work } from '../tasks/work.js';

const PYTHON_WORKER = fileURLToPath(new URL('../../workers/python/worker.py', import.meta.url));
const NODE_WORKER = fileURLToPath(new URL('../node-worker/main.js', import.meta.url));

/** Language of a worker. */
export type WorkerKind = 'python' | 'node';

/** What the workers of one pool have in common. Two calls whose key is the same can be made by the same worker. */
export interface PoolSpec {
  readonly key: string;
  readonly kind: WorkerKind;
  readonly demand: Demand;
  readonly priority: number;
  /** Seconds that each call takes, as its description says. */
  readonly expects: number | undefined;
  /** One of its calls: environment, setup lines and interpreter follow from it. */
  readonly sample: Work;
  /** Variables of its workers on top of `sample.env`. */
  readonly own: Readonly<Record<string, string>>;
}

const IDS = new Set([ID_VARIABLE, SPAWN_VARIABLE, PILOT_VARIABLE]);

const texts = new WeakMap<object, string>();

/** JSON of something that many calls share, made once for each object. */
function textOf(value: object): string {
  let text = texts.get(value);
  if (text === undefined) {
    text = JSON.stringify(value);
    texts.set(value, text);
  }
  return text;
}

/** What tells two functions apart. */
export function functionKey(reference: FunctionReference): string {
  return textOf(reference);
}

export function kindOf(reference: FunctionReference): WorkerKind {
  return 'module' in reference ? 'node' : 'python';
}

/** The function that a work calls. */
export function callOf(work: Work): NonNullable<Work['description']['call']> {
  const { call } = work.description;
  if (call === undefined) throw new TypeError(`${work.id} calls no function`);
  return call;
}

/** What the pool of a call has in common. */
export function poolSpecOf(work: Work, expects: number | undefined): PoolSpec {
  const { description, submission, demand } = work;
  const { function: reference, interpreter } = callOf(work);
  const kind = kindOf(reference);
  const own = ownOf(work.own);
  const { environment, setup, priority } = description;
  const key = [
    kind,
    interpreter ?? '',
    textOf(demand),
    priority,
    expects ?? '',
    submission.cwd,
    environment === undefined ? '' : textOf(environment),
    setup.length === 0 ? '' : textOf(setup),
    own === NOTHING ? '' : JSON.stringify(own),
    textOf(work.env),
  ].join('\n');
  return { key, kind, demand, priority, expects, sample: work, own };
}

const NOTHING: Readonly<Record<string, string>> = {};

/** Variables beyond the ids of a call: a worker starts with them, since libraries read theirs when they are loaded. */
function ownOf(own: Work['own']): Readonly<Record<string, string>> {
  let found: Record<string, string> | undefined;
  for (const name in own) {
    if (IDS.has(name)) continue;
    found ??= {};
    found[name] = own[name] ?? '';
  }
  return found ?? NOTHING;
}

/** Folders and socket that a worker is told. */
export interface WorkerPlaces {
  readonly socket: string;
  readonly id: string;
  readonly folder: string;
  /** Where large results go. */
  readonly values: string;
}

/**
 * The worker's own work: the program of its pool, from which its process is planned as that of a command is.
 *
 * @throws PilothouseError FUNCTION_NOT_SENDABLE when it cannot run where the description wants it
 */
export function workerWork(spec: PoolSpec, places: WorkerPlaces, own: Readonly<Record<string, string>>): Work {
  const { sample, kind } = spec;
  const { submission, env, description } = sample;
  const modules = submission.cwd;
  const program = kind === 'node' ? [process.execPath, NODE_WORKER] : [interpreterOf(spec, env), PYTHON_WORKER];
  const { call: _call, environment, ...rest } = description;
  if (environment !== undefined && 'container' in environment && kind === 'node') {
    throw new PilothouseError('FUNCTION_NOT_SENDABLE', 'functions of TypeScript do not run in containers', {
      hint: 'Leave the container away, or run a command in it.',
      field: 'environment.container',
    });
  }
  return {
    ...sample,
    cwd: modules,
    own,
    description: {
      ...rest,
      ...(environment === undefined ? {} : { environment: reachable(environment, places) }),
      command: [...program, places.socket, places.id, places.folder, places.values, modules],
    },
  };
}

/** What a container has to see so that a worker in it reaches the agent. */
function reachable(
  environment: NonNullable<Work['description']['environment']>,
  { socket, folder, values }: WorkerPlaces,
): NonNullable<Work['description']['environment']> {
  if (!('container' in environment)) return environment;
  const { container } = environment;
  const workers = fileURLToPath(new URL('../../workers', import.meta.url));
  const binds = [`${workers}:${workers}:ro`, ...[socket, folder, values].map((path) => `${path}:${path}`)];
  return { container: { ...container, binds: [...container.binds, ...binds] } };
}

function interpreterOf({ sample, own }: PoolSpec, env: Work['env']): string {
  const { interpreter } = callOf(sample);
  if (interpreter !== undefined) return interpreter;
  // A named environment is entered first, and is then first on the PATH.
  if (sample.description.environment !== undefined) {
    return 'container' in sample.description.environment ? 'python3' : 'python';
  }
  const prefix = own.VIRTUAL_ENV ?? env.VIRTUAL_ENV ?? own.CONDA_PREFIX ?? env.CONDA_PREFIX;
  return prefix === undefined ? 'python3' : `${prefix}/bin/python`;
}
