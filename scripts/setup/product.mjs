// From source to what runs: TypeScript, the JupyterLab extension, and the file that says how Pilothouse is started.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { BRIDGE_ARGV, BRIDGE_MAIN, CLI_MAIN, NODE24, REPO, STAMPS, stateRoot, VENV } from '../lib/paths.mjs';
import { run } from '../lib/processes.mjs';
import { npmCommand } from './npm-packages.mjs';
import { Progress } from './progress.mjs';
import { fingerprint, isFresh, writeStamp } from './stamps.mjs';

const LABEXTENSION = join(REPO, 'jupyterlab-extension', 'pilothouse', 'labextension');
const BUILD_STAMP = join(STAMPS, 'build');
const PACKAGES = ['sdk', 'serving', 'kernels-bridge', 'pilot-agent', 'jupyterlab-extension'];

/** The version of this checkout. */
export const version = () => JSON.parse(readFileSync(join(REPO, 'package.json'), 'utf8')).version;

/** Builds everything, unless what it would be built from is unchanged. */
export async function build() {
  const print = fingerprint(REPO, {
    files: [
      'tsconfig.json',
      'tsconfig.base.json',
      'package-lock.json',
      ...PACKAGES.map((name) => `${name}/package.json`),
    ],
    folders: [...PACKAGES.map((name) => `${name}/src`), 'jupyterlab-extension/style', 'jupyterlab-extension/schema'],
  });
  if (isFresh(BUILD_STAMP, print, [BRIDGE_MAIN, CLI_MAIN, join(LABEXTENSION, 'package.json')]))
    return Progress.nothingToDo;
  await run([process.execPath, join(REPO, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], { cwd: REPO });
  await run([...npmCommand(), 'run', '--silent', 'build:labextension', '--workspace', '@pilothouse/jupyterlab'], {
    cwd: REPO,
  });
  writeStamp(BUILD_STAMP, print);
  return undefined;
}

/** Puts a link where JupyterLab looks for the extension, so that a new build is what the next reload shows. */
export function linkLabextension() {
  const place = join(VENV, 'share', 'jupyter', 'labextensions', '@pilothouse', 'jupyterlab');
  const there = lstatSync(place, { throwIfNoEntry: false });
  if (there?.isSymbolicLink() && readlinkSync(place) === LABEXTENSION) return;
  rmSync(place, { recursive: true, force: true });
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(LABEXTENSION, place, 'dir');
}

/** JupyterLab's own defaults for this environment: it asks nobody whether to fetch news, and fetches none. */
export function writeLabDefaults() {
  const folder = join(VENV, 'share', 'jupyter', 'lab', 'settings');
  mkdirSync(folder, { recursive: true });
  const defaults = { '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false } };
  replaceFile(join(folder, 'overrides.json'), `${JSON.stringify(defaults, null, 2)}\n`, 0o644);
}

/** What `launcher.json` says: how to start the bridge and the command line, their version, and where Python is. */
export function launcher() {
  return { argv: BRIDGE_ARGV, cli: [NODE24, CLI_MAIN], env: VENV, version: version() };
}

/** Writes the launcher file of this user: `$PILOTHOUSE_LAUNCHER`, else `launcher.json` in the state root. */
export function writeLauncher(env = process.env) {
  const file = env.PILOTHOUSE_LAUNCHER || join(stateRoot(env), 'launcher.json');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  replaceFile(file, `${JSON.stringify(launcher(), null, 2)}\n`, 0o600);
  return file;
}

/** Writes a file whole or not at all, and leaves one alone that is right already. */
function replaceFile(path, content, mode) {
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return;
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, content, { mode });
  chmodSync(fresh, mode);
  renameSync(fresh, path);
}
