// The kernels that notebooks of the workspace can choose, as kernelspecs inside the virtual environment. (Python's own
// comes with ipykernel.) They name every program by path: what PATH holds must not decide which Node runs a kernel.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DENO, KERNEL_TOOLS, NODE24, REPO, VENV, VENV_PYTHON } from '../lib/paths.mjs';
import { run } from '../lib/processes.mjs';
import { fingerprint } from './stamps.mjs';

export const KERNELSPECS = join(VENV, 'share', 'jupyter', 'kernels');

/** Both kernel.json files, exactly as they are written. */
export const kernelJson = {
  tslab: {
    argv: [NODE24, join(KERNEL_TOOLS, 'tslab-launcher.cjs'), '{connection_file}'],
    display_name: 'TypeScript (tslab)',
    language: 'typescript',
  },
  deno: {
    argv: [
      VENV_PYTHON,
      join(REPO, 'scripts', 'with-parent.py'),
      DENO,
      'jupyter',
      '--kernel',
      '--conn',
      '{connection_file}',
    ],
    display_name: 'TypeScript (Deno)',
    language: 'typescript',
    // On SIGINT, Deno's kernel dies and takes the notebook's variables with it; asked by message, it interrupts.
    interrupt_mode: 'message',
    env: { DENO_NO_UPDATE_CHECK: '1' },
  },
};

function writeSpec(name, logos) {
  const folder = join(KERNELSPECS, name);
  mkdirSync(folder, { recursive: true });
  for (const logo of logos) copyFileSync(logo, join(folder, logo.slice(logo.lastIndexOf('/') + 1)));
  const file = join(folder, 'kernel.json');
  writeFileSync(`${file}.new`, `${JSON.stringify(kernelJson[name], null, 1)}\n`);
  renameSync(`${file}.new`, file);
}

/** Deno carries its logos inside its binary and gives them away only by installing its own kernelspec somewhere. */
async function denoLogos(scratch) {
  await run([DENO, 'jupyter', '--install'], { env: { ...process.env, HOME: scratch, XDG_DATA_HOME: scratch } });
  const folder = join(scratch, 'jupyter', 'kernels', 'deno');
  return readdirSync(folder)
    .filter((name) => name.startsWith('logo'))
    .map((name) => join(folder, name));
}

/** Writes the kernelspecs of tslab and Deno into the virtual environment. */
export async function writeKernelspecs() {
  const scratch = mkdtempSync(join(tmpdir(), 'pilothouse-deno-'));
  try {
    writeSpec('deno', await denoLogos(scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const logos = join(KERNEL_TOOLS, 'logos');
  writeSpec('tslab', existsSync(logos) ? readdirSync(logos).map((name) => join(logos, name)) : []);
}

/** The files whose absence means that the kernelspecs must be written again. */
export function kernelspecFiles() {
  return Object.keys(kernelJson).map((name) => join(KERNELSPECS, name, 'kernel.json'));
}

/** The fingerprint of what the kernelspecs are made from. */
export function kernelspecInputs() {
  return fingerprint(REPO, {
    folders: ['tools/kernels/logos'],
    files: ['tools/kernels/package-lock.json'],
    values: [kernelJson],
  });
}
