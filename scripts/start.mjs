// `npm start`: everything from a fresh clone to a running JupyterLab with Pilothouse in it. Plain Node, no packages.
import { HELP, parseOptions } from './setup/options.mjs';
import { Progress, SetupError } from './setup/progress.mjs';

async function main(argv) {
  const options = parseOptions(argv);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const { checkNode } = await import('./setup/machine.mjs');
  checkNode();
  const [{ setUp }, { prepareWorkspace }, { freePort, startJupyter }, { stillRunning }] = await Promise.all([
    import('./setup/set-up.mjs'),
    import('./setup/workspace.mjs'),
    import('./setup/jupyter.mjs'),
    import('./setup/still-running.mjs'),
  ]);
  // A port that is in use is told before the first minute is spent on set-up.
  if (options.port !== undefined) await freePort(options.port);
  const progress = new Progress();
  await setUp(progress);
  await progress.step('Workspace', async () => {
    const copied = await prepareWorkspace(options.workspace);
    return copied.length > 0 ? `${options.workspace}, examples copied` : Progress.nothingToDo;
  });

  let jupyter;
  await progress.step('JupyterLab', async () => {
    jupyter = await startJupyter(options);
  });
  // Heard from now on: who reads the line below may stop it in the same moment.
  const asked = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(signal));
  });
  console.log(`Pilothouse is ready: ${jupyter.url}`);

  const how = await Promise.race([asked, jupyter.ended]);
  const byUser = typeof how === 'string';
  await jupyter.stop();
  console.log(byUser ? '\nJupyterLab has stopped.' : `\nJupyterLab has ended; its log is ${jupyter.log}`);
  for (const line of await stillRunning()) console.log(line);
  return byUser || how.status === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const hint = error instanceof SetupError ? error.hint : undefined;
  if (hint) console.error(`\n${hint}`);
  console.error(`${hint ? '' : '\n'}${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
