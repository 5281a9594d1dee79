import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk';
import { type LinkedPackage, linkPackage, notebookPackages, type PackageSource } from './packages.js';
import { PROJECT_FILES } from './project-files.js';

/** Where `initWorkspace` takes things from. */
export interface InitOptions {
  /** The packages to link; those of this installation where left out. */
  readonly packages?: readonly PackageSource[];
}

/** What `initWorkspace` found and did. */
export interface InitReport {
  /** The workspace, by absolute path. */
  readonly directory: string;
  /** Files it wrote, relative to the workspace. */
  readonly created: readonly string[];
  /** Files that were there and were left as they are. */
  readonly kept: readonly string[];
  readonly packages: readonly LinkedPackage[];
  /** What may not work as it is, one sentence each with its remedy. */
  readonly warnings: readonly string[];
}

/**
 * Makes a folder ready for TypeScript notebooks in tslab and Deno, without internet: `node_modules` with the SDK, rxjs,
 * zod and Node's types as links to this installation, and `package.json`, `deno.json`, `tsconfig.json` where missing.
 * Running it again mends the links and changes nothing else.
 *
 * @throws PilothouseError `INVALID_DESCRIPTION` where `directory` is a file, `PERMISSION_DENIED` where it cannot be written
 *
 * @example
 * ```ts
 * const report = await initWorkspace('notebooks');
 * report.created; // ['package.json', 'deno.json', 'tsconfig.json']
 * ```
 */
export async function initWorkspace(directory: string, options: InitOptions = {}): Promise<InitReport> {
  const root = resolve(directory);
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() === false) {
    throw new PilothouseError('INVALID_DESCRIPTION', `${root} is a file`, {
      field: 'directory',
      hint: 'Name a folder; it is made if it does not exist.',
    });
  }
  try {
    mkdirSync(root, { recursive: true });
    const { created, kept } = writeProjectFiles(root);
    const nodeModules = join(root, 'node_modules');
    const packages = (options.packages ?? notebookPackages()).map((source) => linkPackage(nodeModules, source));
    return { directory: root, created, kept, packages, warnings: packages.flatMap(versionWarning) };
  } catch (cause) {
    throw unwritable(root, cause);
  }
}

function writeProjectFiles(root: string): { created: string[]; kept: string[] } {
  const created: string[] = [];
  const kept: string[] = [];
  for (const [name, content] of Object.entries(PROJECT_FILES)) {
    const path = join(root, name);
    if (existsSync(path)) {
      kept.push(name);
      continue;
    }
    // `wx`: a file that appears between the look and the write is the user's, too.
    writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { flag: 'wx' });
    created.push(name);
  }
  return { created, kept };
}

function versionWarning({ name, version, action, keptVersion }: LinkedPackage): string[] {
  if (action !== 'kept' || keptVersion === version) return [];
  return [
    `node_modules/${name} is version ${keptVersion}, this Pilothouse comes with ${version}; ` +
      `remove that folder and run \`pilothouse init\` again to use the matching one.`,
  ];
}

function unwritable(root: string, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') return cause;
  return new PilothouseError('PERMISSION_DENIED', `${root} cannot be written`, {
    field: 'directory',
    hint: 'Choose a folder that is yours, or change the permissions of this one.',
    cause,
  });
}
