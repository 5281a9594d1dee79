// `npm run pictures`: opens the product in a browser, asks the demo model, and writes the pictures of docs/images.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPO } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { installNpm } from './setup/npm-packages.mjs';
import { Progress } from './setup/progress.mjs';
import { setUp } from './setup/set-up.mjs';

const folder = join(REPO, 'ui-tests');
const progress = new Progress();
await setUp(progress, { launcher: false });
await progress.step('Browser tools', () => installNpm(folder, { dev: true }));
mkdirSync(join(REPO, 'docs', 'images'), { recursive: true });
await progress.step('Pictures', async () => {
  const cli = join(folder, 'node_modules', '@playwright', 'test', 'cli.js');
  await run([process.execPath, cli, 'test', '--config', 'pictures.config.ts'], { cwd: folder });
  return 'docs/images';
});
