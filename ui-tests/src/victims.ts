import { isAlive, type StackProcess } from './processes.js';
import type { Stack } from './stack.js';
import { until } from './until.js';

/** What can be killed. A warden is a pair: the keeper is the parent of the server. */
export type Victim = 'bridge' | 'agent' | 'warden keeper' | 'warden server' | 'JupyterLab';

const PROGRAMS: Readonly<Record<Victim, RegExp>> = {
  bridge: /^\S*\/node (--\S+ )*\S*\/kernels-bridge\/lib\/main\.js/,
  agent: /^\S*\/node (--\S+ )*\S*\/pilot-agent\/lib\/main\.js/,
  'warden keeper': /\/warden\.py \//,
  'warden server': /\/warden\.py \//,
  JupyterLab: /^\S*python\S* -m jupyterlab /,
};

/** The one process that is meant. */
export function find(stack: Stack, victim: Victim): StackProcess {
  const found = stack.find(PROGRAMS[victim]);
  const keepers = found.filter(({ parent }) => !found.some(({ pid }) => pid === parent));
  // What a server has just forked for a task bears the server's name until it is that task.
  const servers = found.filter(({ parent }) => keepers.some(({ pid }) => pid === parent));
  const [one, ...more] = victim === 'warden keeper' ? keepers : victim === 'warden server' ? servers : found;
  if (one === undefined || more.length > 0) {
    throw new Error(`${one ? more.length + 1 : 0} processes are the ${victim}; there are:\n${stack.listing()}`);
  }
  return one;
}

/** kill -9, and waits until it is gone. */
export async function kill(stack: Stack, victim: Victim): Promise<StackProcess> {
  const one = find(stack, victim);
  process.kill(one.pid, 'SIGKILL');
  await until(() => !isAlive(one.pid), `the ${victim} to be gone`);
  return one;
}

/** Waits until another process has taken the place of the one that was killed. */
export async function replaced(stack: Stack, victim: Victim, old: StackProcess): Promise<void> {
  const isThere = () => {
    try {
      return find(stack, victim).pid !== old.pid;
    } catch {
      // Not there yet, or in the middle of its start.
      return false;
    }
  };
  await until(isThere, `another ${victim}`, 30_000);
}
