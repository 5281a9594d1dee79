// What a machine must have before anything is installed. Each refusal says how to get what is missing.
import { existsSync, readFileSync } from 'node:fs';
import { VENV_PYTHON } from '../lib/paths.mjs';
import { runCaptured } from '../lib/processes.mjs';
import { SetupError } from './progress.mjs';

const NODE_NEEDED = [20, 19];
const PYTHON_NEEDED = [3, 10];
const DEMO_GLIBC = [2, 35];

const PROBE = `
import json, sys
def has(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False
print(json.dumps({"version": sys.version_info[:3], "venv": has("venv") and has("ensurepip"), "path": sys.executable}))
`;

const atLeast = (version, needed) => version[0] > needed[0] || (version[0] === needed[0] && version[1] >= needed[1]);

/** Throws unless this is Linux and the running Node is new enough. */
export function checkNode(version = process.versions.node, platform = process.platform) {
  if (platform !== 'linux') {
    throw new SetupError(`Pilothouse runs on Linux, and this is ${platform}.`, {
      hint: 'On macOS or Windows, use a Linux container or virtual machine.',
    });
  }
  if (!atLeast(version.split('.').map(Number), NODE_NEEDED)) {
    throw new SetupError(`Node ${version} is too old: ${NODE_NEEDED.join('.')} or newer is needed.`, {
      hint: 'Install Node 22 or 24, with your package manager or from nodejs.org, and start again.',
    });
  }
}

/**
 * The Python to make the virtual environment with: the one it has already, `$PILOTHOUSE_PYTHON`, or what PATH offers.
 * @returns {Promise<{ path: string, version: number[] }>}
 */
export async function findPython(env = process.env, own = VENV_PYTHON) {
  const candidates = [
    ...(existsSync(own) ? [own] : []),
    ...(env.PILOTHOUSE_PYTHON
      ? [env.PILOTHOUSE_PYTHON]
      : ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10']),
  ];
  const seen = [];
  for (const candidate of candidates) {
    const found = await probe(candidate);
    if (found === undefined) continue;
    if (atLeast(found.version, PYTHON_NEEDED) && found.venv) return found;
    seen.push(found);
  }
  throw pythonError(seen, env);
}

async function probe(candidate) {
  try {
    const { status, output } = await runCaptured([candidate, '-c', PROBE], { timeoutMs: 20_000 });
    return status === 0 ? JSON.parse(output) : undefined;
  } catch {
    // Not on this machine, or not a Python: the next candidate is asked, and the final error names what was found.
    return undefined;
  }
}

function pythonError(seen, env) {
  const asked = env.PILOTHOUSE_PYTHON ? ` ($PILOTHOUSE_PYTHON is ${env.PILOTHOUSE_PYTHON})` : '';
  const unready = seen.find(({ version }) => atLeast(version, PYTHON_NEEDED));
  if (unready) {
    const short = unready.version.slice(0, 2).join('.');
    return new SetupError(`Python ${short} at ${unready.path} cannot make virtual environments.`, {
      hint: `Install its venv module (Debian, Ubuntu: \`apt install python3-venv\`) and start again.`,
    });
  }
  const found = seen.map(({ version, path }) => `${version.join('.')} at ${path}`).join(', ');
  return new SetupError(
    `No Python ${PYTHON_NEEDED.join('.')} or newer was found${asked}${found && `; found ${found}`}.`,
    {
      hint: 'Install one (Debian, Ubuntu: `apt install python3 python3-venv`), or name it in PILOTHOUSE_PYTHON.',
    },
  );
}

/** Why the demo model cannot run here, or undefined where it can. */
export function demoModelRefusal(arch = process.arch, glibc = glibcVersion(), flags = cpuFlags()) {
  if (arch !== 'x64') return `its server is built for x86_64, and this is ${arch}`;
  if (!glibc) return 'its server needs glibc, and this system uses another C library';
  if (!atLeast(glibc.split('.').map(Number), DEMO_GLIBC)) {
    return `its server needs glibc ${DEMO_GLIBC.join('.')}, and this system has ${glibc}`;
  }
  if (!flags.includes('avx2')) return 'its server needs a CPU with AVX2';
  return undefined;
}

function cpuFlags() {
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return (line?.[1] ?? '').trim().split(/\s+/);
}

function glibcVersion() {
  return process.report.getReport().header.glibcVersionRuntime;
}
