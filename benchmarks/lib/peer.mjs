// Runs a program of a peer by itself.
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Runs Python of a virtual environment in namespaces of its own, with loopback alone; what it prints last is its figures.
 *
 * @param venv - folder of the environment
 * @param argv - script and arguments
 * @param minutes - it is ended after so many
 */
export async function runAlone(venv, argv, minutes) {
  const inside = 'ip link set lo up && exec "$0" "$@"';
  // A process namespace as well: whatever a peer leaves behind ends with it.
  const namespaces = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const command = [join(venv, 'bin', 'python'), ...argv].map(String);
  const { stdout } = await run('unshare', [...namespaces, 'sh', '-c', inside, ...command], {
    // Some leave files where they are started.
    cwd: await mkdtemp(join(tmpdir(), 'peer-')),
    timeout: minutes * 60_000,
    maxBuffer: 1 << 24,
    env: {
      // Parsl looks for its own programs on the PATH, RADICAL-Pilot by the environment that is active.
      PATH: `${join(venv, 'bin')}:${process.env.PATH}`,
      VIRTUAL_ENV: venv,
      HOME: process.env.HOME,
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
