import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PilotFile, PilothouseError, pilotFileSchema, pilotStates } from '@pilothouse/sdk/shared';
import { Journal } from './journal/journal.js';
import { readPast } from './journal/replay.js';
import { restoreWarden } from './launcher/restore.js';
import { WardenClient } from './launcher/warden-client.js';
import { log } from './log.js';
import { Output } from './output/output.js';
import { KEEP } from './output/ranges.js';
import { PilotLife } from './pilot-life.js';
import { Pool } from './scheduler/pool.js';
import { Scheduler } from './scheduler/scheduler.js';
import { Accounting } from './tasks/accounting.js';

/** Nothing to do, or everything done: the warden does not start another agent. */
const OVER = 0;
const FAILED = 1;

/**
 * Runs the agent of the pilot in this folder until the pilot is over.
 *
 * @returns the exit code of the process: 0 only when the pilot has ended
 */
export async function runAgent(folder: string): Promise<number> {
  try {
    const pilot = await readPilotFile(folder);
    // The warden is asked while the files are read.
    const connecting = WardenClient.connect(join(pilot.runtimeDir, 'w', `${pilot.id}.sock`), {
      keep: KEEP,
      restore: restoreWarden,
    });
    const journalFolder = join(pilot.folder, 'journal');
    const past = await readPast(journalFolder);
    if (past.pilot !== undefined && pilotStates.isFinal(past.pilot.state)) return OVER;
    const epoch = past.epoch + 1;
    const output = new Output(join(pilot.runtimeDir, 'p', pilot.id), pilot.folder, epoch);
    const [journal, warden] = await Promise.all([
      Journal.open(journalFolder, epoch, past.seq),
      connecting,
      output.prepare(),
    ]);
    await output.tidy(warden.found.values());
    const gpus = pilot.gpuIds ?? Array.from({ length: pilot.gpus }, (_, index) => String(index));
    const scheduler = new Scheduler(new Pool({ cores: pilot.cores, gpus, memory: pilot.memory }));
    const accounting = await Accounting.open(pilot.folder, past.epoch > 0);
    const life = new PilotLife({ pilot, past, journal, warden, scheduler, output }, accounting, epoch);
    process.on('SIGTERM', () => life.end('ENDED_BY_SIGNAL', 'the node asked it to end'));
    return (await life.run()) ? OVER : FAILED;
  } catch (error) {
    log('cannot run', error);
    return FAILED;
  }
}

async function readPilotFile(folder: string): Promise<PilotFile> {
  const file = join(folder, 'pilot.json');
  try {
    return pilotFileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new PilothouseError('LOG_DAMAGED', `${file} is no description of a pilot`, {
      hint: 'End this pilot and start a new one.',
      cause,
    });
  }
}
