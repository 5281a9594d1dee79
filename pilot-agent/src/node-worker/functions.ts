import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Refused } from './refused.js';

/** A function as it is named to a worker. */
export interface ModuleReference {
  readonly module: string;
  readonly export: string;
}

/** Something that can be called with what came as JSON. */
export type AnyFunction = (...args: readonly unknown[]) => unknown;

/**
 * The function that a module exports.
 *
 * @throws Refused when it is not there, or cannot be loaded as it is; whatever the module itself throws
 */
export async function find({ module, export: name }: ModuleReference): Promise<AnyFunction> {
  const url = urlOf(module);
  const file = fileURLToPath(url);
  if (!existsSync(file)) {
    throw new Refused(
      'FUNCTION_NOT_FOUND',
      `there is no module ${file} on this node`,
      'Check the path; the node must see the same folder.',
    );
  }
  const loaded = await load(url, file);
  const found = loaded[name];
  if (typeof found === 'function') return (...args) => Reflect.apply(found, undefined, args);
  const names = Object.keys(loaded).filter((key) => typeof loaded[key] === 'function');
  const hint =
    names.length === 0 ? `Export it: export function ${name}(…)` : `It exports ${names.slice(0, 10).join(', ')}.`;
  const what = found === undefined ? `exports nothing named ${name}` : `exports ${name}, which is no function`;
  throw new Refused('FUNCTION_NOT_FOUND', `${file} ${what}`, hint);
}

function urlOf(module: string): string {
  if (module.startsWith('file:')) return module;
  if (module.startsWith('/')) return pathToFileURL(module).href;
  throw new Refused(
    'FUNCTION_NOT_SENDABLE',
    `a worker cannot tell where ${module} lies`,
    `Give an absolute path or a file URL, such as import.meta.resolve('./${module.replace(/^[./]+/, '')}').`,
  );
}

async function load(url: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(url)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const code = codeOf(error);
    const message = error instanceof Error ? error.message : String(error);
    if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' || code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
      throw new Refused(
        'FUNCTION_NOT_SENDABLE',
        `${file} has TypeScript that is more than types: ${message}`,
        'Leave enum, namespace and parameter properties away (erasableSyntaxOnly in tsconfig.json), or compile it first.',
        error,
      );
    }
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      throw new Refused(
        'FUNCTION_NOT_SENDABLE',
        `${file} is no module that Node loads`,
        'Use .ts, .mts, .js or .mjs.',
        error,
      );
    }
    if (code === 'ERR_MODULE_NOT_FOUND') {
      const hint =
        'Install it in the project of that module (npm install), and give relative imports their extension (./part.ts).';
      throw new Refused('FUNCTION_NOT_FOUND', message, hint, error);
    }
    throw error;
  }
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
