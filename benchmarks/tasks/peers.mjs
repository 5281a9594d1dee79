// The peers, each in its own virtual environment's run and in a network namespace with nothing but loopback.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { REPO } from '../../scripts/lib/paths.mjs';

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, 'peers');
const VENV = join(REPO, '.pilothouse', 'peers');
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
export async function runPeer(name, { tasks, inFlight, calls }) {
  const argv = [join(VENV, 'bin', 'python'), join(FOLDER, PROGRAMS[name]), tasks, inFlight, calls].map(String);
  const inside = 'ip link set lo up && exec "$0" "$@"';
  // A process namespace as well: whatever a peer leaves behind ends with it.
  const namespaces = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const { stdout } = await run('unshare', [...namespaces, 'sh', '-c', inside, ...argv], {
    // Some leave files where they are started.
    cwd: await mkdtemp(join(tmpdir(), 'peer-')),
    timeout: MINUTES * 60_000,
    maxBuffer: 1 << 24,
    env: {
      // Parsl looks for its own programs on the PATH, RADICAL-Pilot by the environment that is active.
      PATH: `${join(VENV, 'bin')}:${process.env.PATH}`,
      VIRTUAL_ENV: VENV,
      HOME: process.env.HOME,
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
