// All of set-up in its order. What comes from the npm registry and what comes from PyPI are fetched side by side; each
// step that finds its work done says nothing and takes next to no time.
import { join } from 'node:path';
import { KERNEL_TOOLS, REPO, STAMPS } from '../lib/paths.mjs';
import { kernelspecFiles, kernelspecInputs, writeKernelspecs } from './kernelspecs.mjs';
import { checkNode, findPython } from './machine.mjs';
import { installNpm } from './npm-packages.mjs';
import { build, linkLabextension, writeLabDefaults, writeLauncher } from './product.mjs';
import { Progress } from './progress.mjs';
import {
  installDemoModel,
  installPeers,
  installPilothouse,
  installRuntime,
  installTestTools,
  makeVenv,
} from './python.mjs';
import { isFresh, writeStamp } from './stamps.mjs';

/**
 * Makes this checkout ready to run.
 * @param {Progress} progress
 * @param {{ dev?: boolean, peers?: boolean, launcher?: boolean }} [options] `dev`: test and check tools too; `peers`: the
 *   servers of others that adapters are tested against; `launcher: false` leaves the user's state root alone
 */
export async function setUp(progress, { dev = false, peers = false, launcher = true } = {}) {
  checkNode();
  await findPython();
  const npm = async () => {
    await progress.step('Packages for the build', () => installNpm(REPO, { dev }));
    await progress.step('Private Node 24', () => installNpm(join(REPO, 'tools', 'node24')));
    await progress.step('TypeScript kernels (tslab, Deno)', () => installNpm(KERNEL_TOOLS));
    await progress.step('Build', build);
  };
  const python = async () => {
    await progress.step('Python environment', makeVenv);
    await progress.step('JupyterLab and the Python kernel', installRuntime);
    await progress.step('Demo model (SmolLM2)', installDemoModel);
    if (dev) await progress.step('Python test tools', installTestTools);
  };
  const others = async () => {
    if (peers) await progress.step('Servers that adapters are tested against', installPeers);
  };
  // All run to their end before one's failure is told: a half-written node_modules is worse than a later message.
  const results = await Promise.allSettled([npm(), python(), others()]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  await progress.step('Pilothouse for Python and JupyterLab', installPilothouse);
  await progress.step('Kernels for notebooks', kernelspecs);
  linkLabextension();
  writeLabDefaults();
  if (launcher) writeLauncher();
}

async function kernelspecs() {
  const stamp = join(STAMPS, 'kernelspecs');
  const print = kernelspecInputs();
  if (isFresh(stamp, print, kernelspecFiles())) return Progress.nothingToDo;
  await writeKernelspecs();
  writeStamp(stamp, print);
  return undefined;
}
