import { lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const manifestSchema = z.object({ name: z.string(), version: z.string() });

/** A package of this installation that notebooks import. */
export interface PackageSource {
  readonly name: string;
  readonly version: string;
  /** Its folder, by absolute path. */
  readonly directory: string;
}

/** What became of a package in the workspace. */
export interface LinkedPackage extends PackageSource {
  /** `linked`: the link is new or was changed; `unchanged`: it was right; `kept`: a package of the user's own is there. */
  readonly action: 'linked' | 'unchanged' | 'kept';
  /** For `kept`: the version that is there. */
  readonly keptVersion?: string;
}

/** Finds a package as `parent` would import it. */
export function findPackage(name: string, parent: string | URL): PackageSource {
  const manifest = createRequire(parent).resolve(`${name}/package.json`);
  return { name, version: readManifest(manifest).version, directory: dirname(manifest) };
}

/**
 * The packages of a notebook folder: the SDK, what its API hands out (rxjs, zod), and Node's types, without which
 * tslab knows neither `console` nor `setTimeout`. rxjs and zod are the SDK's own copies, so that there is one of each.
 */
export function notebookPackages(): PackageSource[] {
  const sdk = findPackage('@pilothouse/sdk', import.meta.url);
  const sdkManifest = join(sdk.directory, 'package.json');
  return [
    sdk,
    findPackage('rxjs', sdkManifest),
    findPackage('zod', sdkManifest),
    findPackage('@types/node', import.meta.url),
  ];
}

/** Links one package into `nodeModules`, unless a package that is not a link stands there. */
export function linkPackage(nodeModules: string, source: PackageSource): LinkedPackage {
  const place = join(nodeModules, ...source.name.split('/'));
  const there = lstatSync(place, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSymbolicLink()) {
    const manifest = join(place, 'package.json');
    return { ...source, action: 'kept', keptVersion: readManifest(manifest).version };
  }
  if (there !== undefined && readlinkSync(place) === source.directory) return { ...source, action: 'unchanged' };
  mkdirSync(dirname(place), { recursive: true });
  // Made beside it and renamed over it: a notebook that starts at this moment finds the old link or the new one.
  const fresh = `${place}.${process.pid}.new`;
  rmSync(fresh, { force: true });
  symlinkSync(source.directory, fresh, 'dir');
  renameSync(fresh, place);
  return { ...source, action: 'linked' };
}

function readManifest(path: string): z.infer<typeof manifestSchema> {
  return manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
}
