import { z } from 'zod';

/** `launcher.json` in the state root: how to start the bridge and the command line of this installation. */
export const launcherSchema = z.looseObject({
  /** Program and arguments of the bridge. */
  argv: z.array(z.string()).min(1),
  /** Program and leading arguments of the command line. */
  cli: z.array(z.string()).optional(),
  version: z.string(),
});
export type Launcher = z.infer<typeof launcherSchema>;
