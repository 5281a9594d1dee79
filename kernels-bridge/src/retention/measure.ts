import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { whereMissing } from '../missing.js';
import type { Amount } from './plan.js';

/** What removing nothing brings. */
export const NOTHING: Amount = { files: 0, bytes: 0 };

/** Bytes of a block, as `stat` counts them. */
const BLOCK = 512;
/** Entries of a folder that are looked at together. */
const AT_ONCE = 32;

/**
 * Files below a path and the room that removing them gives back: a file that has another name elsewhere, such as a result
 * that was linked out, gives none.
 *
 * @param path - absolute; nothing where it is not there
 */
export async function measure(path: string): Promise<Amount> {
  const found = await lstat(path).catch(whereMissing(null));
  if (found === null) return NOTHING;
  if (!found.isDirectory()) return { files: 1, bytes: found.nlink > 1 ? 0 : found.blocks * BLOCK };
  const names = await readdir(path).catch(whereMissing<string[]>([]));
  let sum = NOTHING;
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const parts = await Promise.all(names.slice(from, from + AT_ONCE).map((name) => measure(join(path, name))));
    sum = parts.reduce(add, sum);
  }
  return sum;
}

export function add(a: Amount, b: Amount): Amount {
  return { files: a.files + b.files, bytes: a.bytes + b.bytes };
}

export function subtract(a: Amount, b: Amount): Amount {
  return { files: Math.max(0, a.files - b.files), bytes: Math.max(0, a.bytes - b.bytes) };
}
