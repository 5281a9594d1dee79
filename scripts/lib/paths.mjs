// Where things are. One place, so that set-up, tests and checks agree.
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const REPO = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Everything that set-up makes for this checkout and git ignores: virtual environment, stamps, kernelspecs. */
export const LOCAL = join(REPO, '.pilothouse');
export const VENV = join(LOCAL, 'venv');
export const VENV_PYTHON = join(VENV, 'bin', 'python');
/** The servers of others that the adapters are tested against. */
export const PEERS = join(LOCAL, 'peers');
export const PEERS_PYTHON = join(PEERS, 'bin', 'python');
export const STAMPS = join(LOCAL, 'stamps');
export const KERNEL_TOOLS = join(REPO, 'tools', 'kernels');
export const REQUIREMENTS = join(REPO, 'scripts', 'requirements');

/** The private Node 24, by path: never on PATH, never the user's own. */
export const NODE24 = join(
  REPO,
  'tools',
  'node24',
  'node_modules',
  `node-linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}`,
  'bin',
  'node',
);
/** Deno as npm ships it: the binary of the platform's own package, so that no install script has to run. */
export const DENO = join(
  KERNEL_TOOLS,
  'node_modules',
  '@deno',
  `linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}-glibc`,
  'deno',
);
export const BRIDGE_MAIN = join(REPO, 'kernels-bridge', 'lib', 'main.js');
/** How the bridge is started. A small young generation: after a burst of tasks it would otherwise keep 40 MiB for the next. */
export const BRIDGE_ARGV = [NODE24, '--max-semi-space-size=4', BRIDGE_MAIN];
export const CLI_MAIN = join(REPO, 'kernels-bridge', 'lib', 'cli', 'main.js');

/** State root of this user: `$PILOTHOUSE_HOME`, else `~/.pilothouse`. */
export function stateRoot(env = process.env) {
  return env.PILOTHOUSE_HOME || join(homedir(), '.pilothouse');
}
