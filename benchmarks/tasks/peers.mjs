// The peers, each in its own virtual environment's run and in a network namespace with nothing but loopback.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { REPO } from '../../scripts/lib/paths.mjs';
import { runAlone } from '../lib/peer.mjs';

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, 'peers');
const VENV = join(REPO, '.pilothouse', 'task-peers');
const PROGRAMS = {
  'radical-pilot': 'radical_pilot.py',
  parsl: 'parsl_peer.py',
  dask: 'dask_peer.py',
  ray: 'ray_peer.py',
  hyperqueue: 'hyperqueue_peer.py',
};
const MINUTES = 10;

/** Names that `--peers` takes. */
export const PEERS = Object.keys(PROGRAMS);

/** Makes the environment of the peers, once. */
export async function preparePeers(say) {
  const python = join(VENV, 'bin', 'python');
  const requirements = join(FOLDER, 'requirements.txt');
  if (!existsSync(python)) await run('python3', ['-m', 'venv', VENV]);
  say('installing the peers (once; a few minutes)');
  await run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements], { maxBuffer: 1 << 24 });
}

/**
 * Runs one peer: `{ tasks_per_s, functions_per_s, … }`, what of it the peer can do.
 *
 * @param load - `{ tasks, inFlight, calls }`
 */
export function runPeer(name, { tasks, inFlight, calls }) {
  return runAlone(VENV, [join(FOLDER, PROGRAMS[name]), tasks, inFlight, calls], MINUTES);
}
