import { isAbsolute, join, matchesGlob, relative } from 'node:path';

const MAGIC = /[*?[{]/;

/** A pattern of paths: what comes before the first wildcard, and the rest. */
export interface Pattern {
  /** Part without wildcards, as written; empty: none. */
  readonly fixed: string;
  /** From the first segment with a wildcard on; null: there is none. */
  readonly rest: string | null;
}

/**
 * Splits a path at its first segment that holds a wildcard (`*`, `?`, `[`, `{`).
 *
 * @example
 * ```ts
 * splitPattern('out/run-*\/x.npy'); // { fixed: 'out', rest: 'run-*\/x.npy' }
 * ```
 */
export function splitPattern(path: string): Pattern {
  const segments = path.split('/');
  const first = segments.findIndex((segment) => MAGIC.test(segment));
  if (first < 0) return { fixed: path, rest: null };
  const fixed = segments.slice(0, first).join('/');
  // Nothing before the first slash of an absolute path: the root itself.
  return { fixed: fixed === '' && first > 0 ? '/' : fixed, rest: segments.slice(first).join('/') };
}

/**
 * Where a path that a directive's `from` covers ends up below its target; null when it is none of those.
 *
 * @param from - relative to the same folder as `path`
 * @returns relative to what the directive's report calls `path`; '' for that itself
 */
export function coveredBy(from: string, path: string): { readonly below: string } | null {
  const { fixed, rest } = splitPattern(from);
  const way = relative(join('/', fixed), join('/', path));
  if (isAbsolute(from) || way.startsWith('..')) return null;
  if (rest === null) return { below: way };
  // The folder that the pattern looks into is none of its matches.
  if (way === '') return null;
  const segments = way.split('/');
  // What lies in a folder that matches is covered with it; and `x/**` matches a folder x, though no file x.
  const ofFolders = rest.endsWith('/**') ? rest.slice(0, -'/**'.length) : rest;
  const covered = segments.some((_, index) => {
    const start = segments.slice(0, index + 1).join('/');
    return matchesGlob(start, rest) || (index < segments.length - 1 && matchesGlob(start, ofFolders));
  });
  return covered ? { below: way } : null;
}
