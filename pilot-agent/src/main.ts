import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { log } from './log.js';

const [folder] = process.argv.slice(2);

if (folder === undefined) {
  log('usage: main.js PILOT_FOLDER');
  process.exit(2);
}
process.umask(0o077);
// In a folder of the user's own: Node's default lies where others could put code for it.
const runtimeDir = process.env.PILOTHOUSE_RUNTIME_DIR ?? `/tmp/pilothouse-${process.getuid?.()}`;
enableCompileCache(join(runtimeDir, 'node-cache'));

// Loaded only now, so that the cache serves everything behind it.
const { runAgent } = await import('./agent.js');
process.exit(await runAgent(folder));
