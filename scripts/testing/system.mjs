// What tests need from the operating system: installed where that is possible, named where it is not.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/processes.mjs';

/** Command that must be there, Debian package that brings it, suites that need it. */
const NEEDED = [
  { command: 'chromium', package: 'chromium', suites: ['ui'] },
  { command: 'ss', package: 'iproute2', suites: ['bridge', 'ui'] },
  { command: 'mpiexec', package: 'openmpi-bin', suites: ['agent'] },
  { command: 'mpicc', package: 'libopenmpi-dev', suites: ['agent'] },
  { command: 'gcc', package: 'gcc', suites: ['agent'] },
  { command: 'sshd', package: 'openssh-server', suites: ['agent'] },
  { command: 'ssh', package: 'openssh-client', suites: ['agent'] },
  { command: 'rsync', package: 'rsync', suites: ['agent'] },
  { command: 'openssl', package: 'openssl', suites: ['agent'] },
  { command: 'setpriv', package: 'util-linux', suites: ['bridge'] },
];

export function onPath(command, env = process.env) {
  // Servers lie where users' paths do not lead.
  return [...(env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
      return false;
    }
  });
}

const present = ({ command }) =>
  onPath(command) || (command === 'chromium' && Boolean(process.env.PILOTHOUSE_CHROMIUM));

/**
 * Installs what the suites need and this machine lacks, if this is root on a system with apt.
 * @param {string[]} suites
 * @returns {Promise<Map<string, string>>} suites that cannot run, each with what to install
 */
export async function installSystemPackages(suites) {
  const missing = () => NEEDED.filter((one) => one.suites.some((suite) => suites.includes(suite)) && !present(one));
  if (missing().length > 0 && process.getuid() === 0 && onPath('apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run(['apt-get', 'update', '-qq'], { env });
    await run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing().map((one) => one.package)], {
      env,
    });
  }
  const refused = new Map();
  for (const one of missing()) {
    for (const suite of one.suites.filter((name) => suites.includes(name))) {
      refused.set(suite, `\`${one.command}\` is missing; install it (Debian, Ubuntu: \`apt install ${one.package}\`)`);
    }
  }
  return refused;
}
