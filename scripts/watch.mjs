// `npm run watch`: TypeScript and the JupyterLab extension are built again whenever a file changes; a reload of the page
// shows it. A bridge that runs goes on with the code it was started with: `npx pilothouse bridge stop` lets the next
// call start the new one, and pilots and their tasks stay.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { REPO } from './lib/paths.mjs';
import { npmCommand } from './setup/npm-packages.mjs';
import { build } from './setup/product.mjs';
import { Progress } from './setup/progress.mjs';

await new Progress().step('Build', build);

const watchers = [
  [process.execPath, join(REPO, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', '--watch', '--preserveWatchOutput'],
  [...npmCommand(), 'run', '--silent', 'watch', '--workspace', '@pilothouse/jupyterlab'],
].map((argv) => spawn(argv[0], argv.slice(1), { cwd: REPO, stdio: 'inherit' }));

// Ctrl-C reaches all of them by the terminal; where one ends by itself, the other would watch half of the project.
for (const watcher of watchers) {
  watcher.on('exit', (status) => {
    for (const other of watchers) other.kill();
    process.exitCode ||= status ?? 0;
  });
}
