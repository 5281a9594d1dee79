import { basename, resolve } from 'node:path';
import type { Origin } from '../schemas/index.js';

const VARIABLES = ['PATH', 'VIRTUAL_ENV', 'CONDA_PREFIX', 'LD_LIBRARY_PATH', 'PYTHONPATH'] as const;
const DISPLAY = Symbol.for('pilothouse.display');

/** Which runtime this is. Deno also has `process`, so it is asked first. */
export function detectKind(): Origin['kind'] {
  if ('Deno' in globalThis) return 'deno';
  if (DISPLAY in globalThis || /(^|[\\/])tslab/.test(process.argv[1] ?? '')) return 'tslab';
  return 'node';
}

/** Whose things these are: the given name, the notebook's path, the script's, or else kind and folder. */
export function detectName(given: string | undefined, kind: Origin['kind']): string {
  if (given !== undefined) return given;
  const notebook = process.env.JPY_SESSION_NAME;
  if (notebook) return notebook;
  const script = kind === 'tslab' ? undefined : process.argv[1];
  if (script && !/^\[|^\$/.test(basename(script))) return resolve(script);
  return `${kind}:${process.cwd()}`;
}

/** Where calls come from; the folder is looked up for each call, as programs change it. */
export function originOf(given?: string): () => Origin {
  const kind = detectKind();
  const name = detectName(given, kind);
  return () => {
    const env: Origin['env'] = {};
    for (const variable of VARIABLES) {
      const value = process.env[variable];
      if (value !== undefined) env[variable] = value;
    }
    return { name, kind, cwd: process.cwd(), env };
  };
}
