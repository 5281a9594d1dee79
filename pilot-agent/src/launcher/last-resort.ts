import { readdir, readFile } from 'node:fs/promises';
import { PILOT_VARIABLE } from '../tasks/environment.js';

const LOOK_MS = 100;

/**
 * Ends everything that carries the pilot's id, without a warden: TERM, and KILL after the grace in seconds, until
 * nothing is left. Only for when both processes of the warden were killed.
 */
export async function endEverything(pilot: string, grace: number): Promise<void> {
  const killAt = performance.now() + grace * 1000;
  const told = new Set<number>();
  for (;;) {
    const pids = await carrying(`${PILOT_VARIABLE}=${pilot}`);
    if (pids.length === 0) return;
    const patience = performance.now() < killAt;
    for (const pid of pids) {
      if (!patience) send(pid, 'SIGKILL');
      else if (!told.has(pid)) send(pid, 'SIGTERM');
      told.add(pid);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function carrying(mark: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    // Other users' processes cannot be read and are none of ours; zombies have no environment any more.
    const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environ.split('\0').includes(mark)) found.push(Number(pid));
  }
  return found;
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It may have gone by itself in the meantime.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
