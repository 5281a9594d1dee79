// `npm run pictures`: runs the product in a browser and writes `docs/images/`.
import { join } from 'node:path';
import { REPO } from './lib/paths.mjs';
import { run } from './lib/processes.mjs';
import { installNpm } from './setup/npm-packages.mjs';
import { Progress, SetupError } from './setup/progress.mjs';
import { setUp } from './setup/set-up.mjs';

const UI_TESTS = join(REPO, 'ui-tests');

try {
  const progress = new Progress();
  await setUp(progress, { launcher: false });
  await progress.step('Browser test tools', () => installNpm(UI_TESTS, { dev: true }));
  const playwright = join(UI_TESTS, 'node_modules', '@playwright', 'test', 'cli.js');
  const output = await run([process.execPath, playwright, 'test', '--config', 'pictures.config.ts'], { cwd: UI_TESTS });
  console.log(output.trimEnd());
} catch (error) {
  if (error instanceof SetupError && error.hint) console.error(`\n${error.hint}`);
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
