// The peers, each in a network namespace with nothing but loopback.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { REPO } from '../../scripts/lib/paths.mjs';
import { runAlone } from '../lib/peer.mjs';

const run = promisify(execFile);
const FOLDER = join(import.meta.dirname, 'peers');
const VENV = join(REPO, '.pilothouse', 'response-peers');
const PROGRAMS = { 'ray-serve': 'ray_serve.py', 'vllm-router': 'vllm_router.py' };
const MINUTES = 10;

/** Names that `--peers` takes. */
export const PEERS = Object.keys(PROGRAMS);

/** Makes the environment of the peers, once. */
export async function preparePeers(say) {
  const python = join(VENV, 'bin', 'python');
  if (!existsSync(python)) await run('python3', ['-m', 'venv', VENV]);
  say('installing the peers (once; a few minutes)');
  const requirements = join(FOLDER, 'requirements.txt');
  await run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements], { maxBuffer: 1 << 24 });
}

/** Runs one peer: `{ p50, p99 }` in milliseconds with one client, `per_s` with 16. */
export function runPeer(name) {
  return runAlone(VENV, [join(FOLDER, PROGRAMS[name]), process.execPath], MINUTES);
}
