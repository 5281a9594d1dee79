import { enableCompileCache } from 'node:module';
import { log } from './log.js';

const [folder] = process.argv.slice(2);

if (folder === undefined) {
  log('usage: main.js PILOT_FOLDER');
  process.exit(2);
}
process.umask(0o077);
enableCompileCache();

// Loaded only now, so that the compile cache serves everything behind it.
const { runAgent } = await import('./agent.js');
process.exit(await runAgent(folder));
