import { access, constants, readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { type Environment, PilothouseError } from '@pilothouse/sdk/shared';
import { captureEnvironment } from './capture.js';
import { quote } from './shell.js';

type Variables = Readonly<Record<string, string>>;

/** Files that define the `module` command, as the usual packages install them. */
const MODULE_INITS = [
  '/etc/profile.d/lmod.sh',
  '/etc/profile.d/modules.sh',
  '/usr/share/lmod/lmod/init/bash',
  '/usr/share/modules/init/bash',
  '/usr/share/Modules/init/bash',
];

/**
 * The variables that a named environment gives its programs, on top of those given.
 *
 * @param cwd - what relative paths start from
 * @throws PilothouseError ENVIRONMENT_NOT_FOUND with path and remedy
 */
export async function enter(environment: Environment, env: Variables, cwd: string): Promise<Variables> {
  if ('venv' in environment) return enterVenv(resolve(cwd, environment.venv), env);
  if ('conda' in environment) return enterConda(environment.conda, env, cwd);
  if ('modules' in environment) return enterModules(environment.modules, env);
  return env;
}

async function enterVenv(folder: string, env: Variables): Promise<Variables> {
  if (!(await isExecutable(join(folder, 'bin', 'python')))) {
    throw new PilothouseError('ENVIRONMENT_NOT_FOUND', `there is no virtual environment at ${folder}`, {
      hint: `Make it with: python3 -m venv ${quote(folder)}`,
      field: 'environment.venv',
      evidence: `${join(folder, 'bin', 'python')} is not there or may not be executed`,
    });
  }
  const { PYTHONHOME: _home, ...rest } = env;
  return { ...rest, VIRTUAL_ENV: folder, PATH: before(join(folder, 'bin'), env) };
}

async function enterConda(name: string, env: Variables, cwd: string): Promise<Variables> {
  const places = name.includes('/') ? [resolve(cwd, name)] : await condaPlaces(name, env);
  for (const folder of places) {
    if ((await stat(join(folder, 'conda-meta')).catch(() => undefined))?.isDirectory())
      return activate(folder, name, env);
  }
  throw new PilothouseError('ENVIRONMENT_NOT_FOUND', `there is no conda environment ${name}`, {
    hint: name.includes('/')
      ? `Make it with: conda create -p ${quote(name)} python`
      : `Make it with: conda create -n ${quote(name)} python, or give its full path.`,
    field: 'environment.conda',
    evidence: `looked at ${places.length === 0 ? 'no place: conda is not on the PATH' : places.join(', ')}`,
  });
}

async function activate(folder: string, name: string, env: Variables): Promise<Variables> {
  const entered = {
    ...env,
    CONDA_PREFIX: folder,
    CONDA_DEFAULT_ENV: name.includes('/') ? folder : name,
    PATH: before(join(folder, 'bin'), env),
  };
  const scripts = join(folder, 'etc', 'conda', 'activate.d');
  const names = (await readdir(scripts).catch(() => [])).filter((script) => script.endsWith('.sh')).sort();
  if (names.length === 0) return entered;
  const captured = await captureEnvironment(
    names.map((script) => `. ${quote(join(scripts, script))}`),
    entered,
  );
  if (captured.ok) return captured.env;
  throw new PilothouseError('ENVIRONMENT_NOT_FOUND', `conda environment ${name} cannot be activated`, {
    hint: `Try it yourself: conda activate ${quote(name)}`,
    field: 'environment.conda',
    evidence: captured.stderr,
  });
}

/** Where an environment of that name may lie, as conda itself looks for it. */
async function condaPlaces(name: string, env: Variables): Promise<string[]> {
  const roots = new Set<string>();
  // An active environment lies in <root>/envs/<name>, or is the root.
  if (env.CONDA_PREFIX !== undefined) {
    const parent = dirname(env.CONDA_PREFIX);
    roots.add(basename(parent) === 'envs' ? dirname(parent) : env.CONDA_PREFIX);
  }
  for (const folder of (env.PATH ?? '').split(':')) {
    if (folder !== '' && (await isExecutable(join(folder, 'conda')))) roots.add(dirname(folder));
  }
  for (const root of ['miniforge3', 'miniconda3', 'mambaforge', 'anaconda3']) roots.add(join(homedir(), root));
  const places = [...roots].map((root) => (name === 'base' ? root : join(root, 'envs', name)));
  places.push(join(homedir(), '.conda', 'envs', name));
  const listed = await readFile(join(homedir(), '.conda', 'environments.txt'), 'utf8').catch(() => '');
  places.push(...listed.split('\n').filter((line) => line !== '' && basename(line) === name));
  return [...new Set(places)];
}

async function enterModules(modules: readonly string[], env: Variables): Promise<Variables> {
  const inits = [...(env.MODULESHOME ? [join(env.MODULESHOME, 'init', 'bash')] : []), ...MODULE_INITS];
  let init: string | undefined;
  for (const file of inits) {
    if (init === undefined && (await readable(file))) init = file;
  }
  if (init === undefined) {
    throw new PilothouseError('ENVIRONMENT_NOT_FOUND', 'there is no module command on this node', {
      hint: 'Use venv, conda or a container here, or ask for a node with modules.',
      field: 'environment.modules',
      evidence: `looked at ${inits.join(', ')}`,
    });
  }
  const captured = await captureEnvironment(
    [`. ${init}`, `module load ${modules.map(quote).join(' ')} || exit 1`],
    env,
  );
  // Older versions of `module` say what is wrong and end with 0.
  if (captured.ok && !/\bERROR\b|Unable to locate|unknown module/i.test(captured.stderr)) return captured.env;
  throw new PilothouseError('ENVIRONMENT_NOT_FOUND', `module load ${modules.join(' ')} failed`, {
    hint: 'Look at what there is with: module avail',
    field: 'environment.modules',
    evidence: captured.stderr,
  });
}

function before(folder: string, env: Variables): string {
  return `${folder}:${env.PATH ?? '/usr/local/bin:/usr/bin:/bin'}`;
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function readable(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}
