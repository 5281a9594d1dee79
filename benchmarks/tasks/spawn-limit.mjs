// How many processes this machine can start per second at all.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'spawn-limit.c');

/** Compiles the loop into `folder` and gives a function that runs it: `(tasks, inFlight) => processes per second`. */
export async function spawnLimit(folder) {
  const program = join(folder, 'spawn-limit');
  try {
    await run('cc', ['-O2', '-o', program, SOURCE]);
  } catch (error) {
    throw new Error('the limit needs a C compiler: install gcc', { cause: error });
  }
  return async (tasks, inFlight) => Number((await run(program, [String(tasks), String(inFlight)])).stdout);
}
