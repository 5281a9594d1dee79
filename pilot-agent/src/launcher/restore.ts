import { spawn } from 'node:child_process';
import { z } from 'zod';
import { log } from '../log.js';

/** Variable in which the warden tells its agent how to start a warden again. */
const VARIABLE = 'PILOTHOUSE_WARDEN';
const schema = z.object({ argv: z.array(z.string()).min(1), umask: z.int(), mark: z.string() });

/**
 * Starts the warden of this pilot again, when both its processes were killed at once. It reads what was spawned from its
 * ledger and watches over it as before; where one of the pair still lives, the new one ends by itself.
 */
export function restoreWarden(): void {
  const told = process.env[VARIABLE];
  if (told === undefined) return;
  const { argv, umask, mark } = schema.parse(JSON.parse(told));
  const [program = '', ...rest] = argv;
  const env = { ...process.env };
  delete env[VARIABLE];
  // Whatever carries it counts as an agent.
  delete env[mark];
  const own = process.umask(umask);
  try {
    spawn(program, rest, { cwd: '/', detached: true, env, stdio: ['ignore', 'inherit', 'inherit'] })
      .on('error', (error) => log('the warden cannot be started again', error))
      .unref();
  } finally {
    process.umask(own);
  }
}
