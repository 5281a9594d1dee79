// What /proc says about the processes of one bench: found by its own state root in their environment.
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** Reads a file of /proc, or null when the process ended meanwhile or belongs to somebody else. */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code)) return null;
    throw error;
  }
}

/** Processes whose environment names this state root: `{ pid, command }` each. */
export function processesOf(home) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`)?.split('\0').includes(`PILOTHOUSE_HOME=${home}`))
    .map((pid) => ({ pid: Number(pid), command: (read(`/proc/${pid}/cmdline`) ?? '').split('\0').join(' ').trim() }))
    .filter(({ pid, command }) => pid !== process.pid && command !== '');
}

/** CPU seconds that a process has used so far. */
export function cpuSeconds(pid) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) throw new Error(`process ${pid} ended during the bench`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process in MiB. */
export function rssMib(pid) {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  if (kib === undefined) throw new Error(`process ${pid} ended during the bench`);
  return Number(kib) / 1024;
}
