// A step leaves a stamp that says from what it made its result. The next start does it again only if that has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const SKIPPED = new Set(['node_modules', '__pycache__']);

/** Every file below `path` (or `path` itself), in a fixed order; built and installed files left out. */
function filesOf(path) {
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const child = join(path, entry.name);
    return entry.isDirectory() ? filesOf(child) : entry.isFile() ? [child] : [];
  });
}

/**
 * The fingerprint of files, folders and plain values together.
 * @param {string} root paths are taken relative to it, so that a checkout may be moved
 * @param {{ files?: string[], folders?: string[], values?: unknown[] }} inputs
 */
export function fingerprint(root, { files = [], folders = [], values = [] }) {
  const hash = createHash('sha256').update(JSON.stringify(values));
  for (const path of [
    ...files.map((file) => join(root, file)),
    ...folders.flatMap((name) => filesOf(join(root, name))),
  ]) {
    hash.update(`\0${relative(root, path)}\0`);
    hash.update(existsSync(path) ? readFileSync(path) : 'missing');
  }
  return hash.digest('hex');
}

/** True where `stamp` holds this fingerprint and every one of `results` is there. */
export function isFresh(stamp, print, results = []) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === print && results.every((path) => existsSync(path));
}

export function writeStamp(stamp, print) {
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, print);
}
