import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Processes of a pilot on this machine, by pid. */
export interface PilotProcesses {
  /** Its warden and its agent: what looks after the pilot and speaks for it. */
  readonly attendants: readonly number[];
  /** Tasks and service instances, and what they have started. */
  readonly work: readonly number[];
}

/**
 * Looks for what belongs to a pilot by the variables that agents and tasks carry, and for wardens by their command line,
 * which names their script and the pilot's folder. Something that merely mentions the pilot, such as an editor with its
 * files open, is no part of it.
 */
export async function processesOf(pilot: string, folder: string, wardenScript: string): Promise<PilotProcesses> {
  const attendants: number[] = [];
  const work: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const environ = await words(name, 'environ');
    if (environ.includes(`PILOTHOUSE_AGENT_OF=${pilot}`)) attendants.push(Number(name));
    else if (environ.includes(`PILOTHOUSE_PILOT=${pilot}`)) work.push(Number(name));
    else {
      const command = await words(name, 'cmdline');
      if (command.includes(wardenScript) && command.includes(folder)) attendants.push(Number(name));
    }
  }
  return { attendants, work };
}

/** Empty for what has ended meanwhile, and for what is another user's. */
async function words(pid: string, file: 'environ' | 'cmdline'): Promise<string[]> {
  return (await readFile(join('/proc', pid, file), 'utf8').catch(() => '')).split('\0');
}
