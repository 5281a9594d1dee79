// npm projects of this checkout: installed from their lock files, and only where what is there differs from the lock.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { download } from '../lib/downloads.mjs';
import { run } from '../lib/processes.mjs';
import { Progress } from './progress.mjs';

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** npm as it was used to start this script, so that an npm that is not on PATH works too. */
export function npmCommand(env = process.env) {
  const script =
    env.npm_execpath ?? join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  return existsSync(script) && script.endsWith('.js') ? [process.execPath, script] : ['npm'];
}

/** The environment without what `npm start` adds to it: none of it concerns JupyterLab, pip or a notebook. */
export function withoutNpm(env = process.env) {
  const kept = Object.entries(env).filter(([name]) => !/^npm_/i.test(name) && name !== 'INIT_CWD');
  const path = (env.PATH ?? '')
    .split(':')
    .filter((part) => !/\/node_modules\/(\.bin$|npm\/|@npmcli\/)/.test(`${part}`));
  return { ...Object.fromEntries(kept), PATH: path.join(':') };
}

/**
 * Whether the packages that the lock names are in `node_modules`, in the versions it names.
 * @param {string} folder of the npm project
 * @param {{ dev: boolean }} options with the development tools or without
 */
export function matchesLock(folder, { dev }) {
  const hidden = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const installed = readJson(hidden).packages ?? {};
  return Object.entries(readJson(join(folder, 'package-lock.json')).packages).every(([path, wanted]) => {
    if (path === '' || wanted.link === true || !path.includes('node_modules/')) return true;
    if (wanted.dev === true && !dev) return true;
    const there = installed[path];
    // Builds for other platforms are optional and absent; so is what a dev-and-optional package would bring.
    if (there === undefined) return wanted.optional === true || wanted.devOptional === true;
    return there.version === wanted.version && there.integrity === wanted.integrity && existsSync(join(folder, path));
  });
}

/** True where development tools are installed in this project: something the lock marks as dev is there. */
export function hasDevTools(folder) {
  return Object.entries(readJson(join(folder, 'package-lock.json')).packages).some(
    ([path, wanted]) => wanted.dev === true && wanted.optional !== true && existsSync(join(folder, path)),
  );
}

/**
 * Installs an npm project from its lock file where it is missing or stale. What a developer installed stays: where
 * development tools are there, they are installed again with the rest.
 *
 * Install scripts do not run: every package used here carries its binaries, and a script of a stranger need not run on
 * the user's machine for it.
 */
export async function installNpm(folder, { dev = false } = {}) {
  const withDev = dev || hasDevTools(folder);
  if (matchesLock(folder, { dev: withDev })) return Progress.nothingToDo;
  const include = withDev ? '--include=dev' : '--omit=dev';
  const argv = [...npmCommand(), 'ci', include, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await download('The npm registry', () => run(argv, { cwd: folder }));
  return undefined;
}
