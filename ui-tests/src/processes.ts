import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that belongs to a stack. */
export interface StackProcess {
  readonly pid: number;
  readonly parent: number;
  /** Its arguments, joined by spaces. */
  readonly command: string;
}

/**
 * Every process that belongs to one state root: its environment names the root, or it works in one of `folders`.
 * Tasks start with a bare environment, so their working directory is what shows whose they are.
 */
export function processesOf(home: string, folders: readonly string[] = []): StackProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => inspect(Number(name), home, folders));
}

function inspect(pid: number, home: string, folders: readonly string[]): StackProcess[] {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    const inside = folders.some((folder) => cwd === folder || cwd.startsWith(`${folder}/`));
    if (!environment.includes(`PILOTHOUSE_HOME=${home}`) && !inside) return [];
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return [];
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ').trim();
    return [{ pid, parent: Number(parent), command }];
  } catch (error) {
    // It ended while it was looked at, or it is another user's: no process of this stack either way.
    if (isGone(error)) return [];
    throw error;
  }
}

/** True while the process is there and not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Sends a signal to a process that may end at this very moment. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM';
}
