import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Environment, PilothouseError } from '@pilothouse/sdk/shared';
import { findProgram } from '../launcher/program.js';
import { quote } from './shell.js';

type Variables = Readonly<Record<string, string>>;
export type Container = Extract<Environment, { container: unknown }>['container'];

/** Variables of the caller that mean something on the node and nothing inside an image. */
const OF_THE_NODE = new Set([
  'PATH',
  'LD_LIBRARY_PATH',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  'CONDA_DEFAULT_ENV',
  'PYTHONPATH',
]);

/**
 * Checks a container's runtime and image before anything starts.
 *
 * @returns file of the runtime's program
 * @throws PilothouseError ENVIRONMENT_NOT_FOUND with path and remedy
 */
export async function checkContainer({ image, runtime }: Container, env: Variables, cwd: string): Promise<string> {
  const program = await findProgram({ command: [runtime], env, cwd: '/' }).catch((cause: unknown) => {
    throw new PilothouseError('ENVIRONMENT_NOT_FOUND', `${runtime} is not on this node`, {
      hint: `Ask for a node with ${runtime}, or use ${runtime === 'podman' ? 'apptainer' : 'podman'} or a venv.`,
      field: 'environment.container.runtime',
      evidence: `PATH=${env.PATH ?? ''}`,
      cause,
    });
  });
  if (runtime === 'apptainer') await checkFile(image, cwd);
  else await checkPodman(program, image, env);
  return program;
}

async function checkFile(image: string, cwd: string): Promise<void> {
  // docker://, oras:// and the like are fetched by apptainer itself.
  if (/^[a-z]+:\/\//.test(image)) return;
  const path = resolve(cwd, image);
  if ((await stat(path).catch(() => undefined)) !== undefined) return;
  throw new PilothouseError('ENVIRONMENT_NOT_FOUND', `the container image ${path} is not there`, {
    hint: `Put it there, for example with: apptainer pull ${quote(path)} docker://NAME`,
    field: 'environment.container.image',
    evidence: path,
  });
}

async function checkPodman(program: string, image: string, env: Variables): Promise<void> {
  const code = await new Promise<number>((done) => {
    execFile(program, ['image', 'exists', image], { env: { ...env, HOME: process.env.HOME ?? '/' } }, (error) => {
      done(error === null ? 0 : Number(error.code));
    });
  });
  if (code === 0) return;
  throw new PilothouseError('ENVIRONMENT_NOT_FOUND', `podman has no image ${image}`, {
    hint: `Fetch it with: podman pull ${quote(image)}`,
    field: 'environment.container.image',
    evidence: `podman image exists ${image}: ${code}`,
  });
}

/**
 * The command that runs another one inside a container: the working directory is there, the network is the node's, and
 * variables come along by name only, so that no value stands in a list of processes.
 *
 * @param names - variables that the command is to see
 */
export function inContainer(
  program: string,
  { image, runtime, binds, gpu }: Container,
  argv: readonly string[],
  cwd: string,
  caller: string,
  names: Iterable<string>,
): string[] {
  if (runtime === 'apptainer') {
    const file = /^[a-z]+:\/\//.test(image) ? image : resolve(caller, image);
    const bound = [cwd, ...binds].flatMap((bind) => ['--bind', bind]);
    return [program, 'exec', ...(gpu ? ['--nv'] : []), ...bound, '--pwd', cwd, file, ...argv];
  }
  const bound = [`${cwd}:${cwd}`, ...binds.map((bind) => (bind.includes(':') ? bind : `${bind}:${bind}`))];
  return [
    program,
    'run',
    '--rm',
    '--userns=keep-id',
    '--network=host',
    // Ends with whoever started it: the task's process group must reach everything.
    '--init',
    ...bound.flatMap((bind) => ['--volume', bind]),
    '--workdir',
    cwd,
    ...(gpu ? ['--device', 'nvidia.com/gpu=all'] : []),
    ...[...names].filter((name) => !OF_THE_NODE.has(name)).flatMap((name) => ['--env', name]),
    image,
    ...argv,
  ];
}
