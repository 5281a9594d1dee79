import { glob, lstat } from 'node:fs/promises';
import { basename, dirname, join, matchesGlob, relative } from 'node:path';
import { splitPattern } from '@pilothouse/sdk/files';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { dataNotFound, systemCode } from './failures.js';

/** What the `from` of a directive stands for on this node. */
export interface Sources {
  /** A pattern's matches keep their way below its fixed part; so two matches never meet at one target. */
  readonly pattern: boolean;
  /** Relative to the fixed part of a pattern; of a plain path its last name. */
  readonly entries: readonly { readonly path: string; readonly below: string }[];
}

/**
 * Finds what a path or pattern stands for. A path that is there as it is written is meant as it is written, whatever
 * characters it has.
 *
 * @param field - the directive, for errors
 * @throws PilothouseError DATA_NOT_FOUND, INVALID_DESCRIPTION
 */
export async function findSources(path: string, field: string): Promise<Sources> {
  if (await isThere(path)) return { pattern: false, entries: [{ path, below: basename(path) }] };
  const { fixed, rest } = splitPattern(path);
  if (rest === null) throw await dataNotFound(field, path);
  if (rest.split('/').includes('..')) {
    throw new PilothouseError('INVALID_DESCRIPTION', `${field}: ".." stands after a wildcard in ${path}`, {
      hint: 'Write the pattern without "..".',
      field,
    });
  }
  const folder = fixed === '' ? dirname(path) : fixed;
  const matches: string[] = [];
  for await (const match of glob(rest, { cwd: folder, withFileTypes: true })) {
    const below = relative(folder, join(match.parentPath, match.name));
    // `x/**` matches the folder x and what is in it; the system's glob lets some files x pass too.
    const stray = rest.endsWith('/**') && !match.isDirectory() && !matchesGlob(below, rest);
    if (below !== '' && !stray) matches.push(below);
  }
  if (matches.length === 0) throw await dataNotFound(field, folder, rest);
  return { pattern: true, entries: topmost(matches).map((below) => ({ path: join(folder, below), below })) };
}

/** Leaves out what lies in a folder that matches too: it comes with the folder. Sorted. */
export function topmost(matches: readonly string[]): string[] {
  const all = new Set(matches);
  const isBelowAnother = (path: string): boolean => {
    for (let parent = dirname(path); parent !== '.' && parent !== '/'; parent = dirname(parent)) {
      if (all.has(parent)) return true;
    }
    return false;
  };
  return [...all].filter((path) => !isBelowAnother(path)).sort();
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return false;
    throw error;
  }
}
