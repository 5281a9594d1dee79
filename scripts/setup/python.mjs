// The virtual environment of this checkout. Its stamps lie inside it, so that they go when it goes.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { download } from '../lib/downloads.mjs';
import { LOCAL, PEERS, PEERS_PYTHON, REPO, REQUIREMENTS, VENV, VENV_PYTHON } from '../lib/paths.mjs';
import { run } from '../lib/processes.mjs';
import { demoModelRefusal, findPython } from './machine.mjs';
import { withoutNpm } from './npm-packages.mjs';
import { Progress } from './progress.mjs';
import { fingerprint, isFresh, writeStamp } from './stamps.mjs';

const stampOf = (name) => join(VENV, 'stamps', name);

/** First Python that MLServer does not install on. */
const PEERS_BELOW = [3, 13];

const pip = (...args) => pipOf(VENV_PYTHON, ...args);

const pipOf = (python, ...args) =>
  run([python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', ...args], {
    cwd: REPO,
    env: { ...withoutNpm(), PYTHONNOUSERSITE: '1' },
  });

/** Makes the virtual environment, or takes the one that is there. */
export async function makeVenv() {
  const { path, version } = await findPython();
  if (path.startsWith(`${VENV}/`)) return Progress.nothingToDo;
  await run([path, '-m', 'venv', '--clear', VENV]);
  // Scripts inside Python packages are CommonJS; without this, Node would take this checkout's package.json for theirs.
  writeFileSync(join(LOCAL, 'package.json'), '{ "type": "commonjs" }\n');
  return `Python ${version.join('.')}`;
}

/** Installs one file of locked requirements, every file checked against its hash. */
async function installLocked(name) {
  const file = join(REQUIREMENTS, `${name}.txt`);
  const print = fingerprint(REQUIREMENTS, { files: [`${name}.txt`], values: [pythonHome()] });
  if (isFresh(stampOf(name), print)) return Progress.nothingToDo;
  await download('PyPI', () => pip('--require-hashes', '--no-deps', '--requirement', file));
  writeStamp(stampOf(name), print);
  return undefined;
}

/** Where the environment's packages are; it names the Python version, so a new Python means a new installation. */
function pythonHome() {
  return existsSync(join(VENV, 'lib')) ? readdirSync(join(VENV, 'lib')).sort().join() : '';
}

export const installRuntime = () => installLocked('runtime');
export const installTestTools = () => installLocked('test');

/** Installs the demo model where its server can run; elsewhere says why not. */
export async function installDemoModel() {
  const refusal = demoModelRefusal();
  return refusal === undefined ? installLocked('demo') : `left out: ${refusal}`;
}

/**
 * Installs the servers of others that the adapters are tested against: an environment of their own, since they pin what
 * JupyterLab needs newer.
 */
export async function installPeers() {
  const { path, version } = await findPython();
  const [major, minor] = version;
  if (major > PEERS_BELOW[0] || minor >= PEERS_BELOW[1])
    return `left out: they need a Python before ${PEERS_BELOW.join('.')}`;
  const stamp = join(PEERS, 'stamps', 'peers');
  const print = fingerprint(REQUIREMENTS, { files: ['peers.txt'], values: [`${major}.${minor}`] });
  if (isFresh(stamp, print, [PEERS_PYTHON])) return Progress.nothingToDo;
  await run([path, '-m', 'venv', '--clear', PEERS]);
  const file = join(REQUIREMENTS, 'peers.txt');
  await download('PyPI', () =>
    pipOf(PEERS_PYTHON, '--no-compile', '--require-hashes', '--no-deps', '--requirement', file),
  );
  writeStamp(stamp, print);
  return undefined;
}

/**
 * Installs the Python package of this checkout in place: a change of its source needs no installation. Its build back
 * end is in the environment already, locked like the rest.
 */
export async function installPilothouse() {
  const print = fingerprint(REPO, {
    files: ['pyproject.toml', 'hatch_build.py', 'pilothouse/_version.py'].map((name) => `jupyterlab-extension/${name}`),
    folders: ['jupyterlab-extension/jupyter-config'],
    values: [REPO],
  });
  if (isFresh(stampOf('pilothouse'), print)) return Progress.nothingToDo;
  await pip('--no-deps', '--no-build-isolation', '--editable', join(REPO, 'jupyterlab-extension'));
  writeStamp(stampOf('pilothouse'), print);
  return undefined;
}
