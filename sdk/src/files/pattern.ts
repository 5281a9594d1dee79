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
 * @returns relative to the folder that `to` names; '' for the target itself
 */
export function coveredBy(from: string, path: string): { readonly below: string } | null {
  const { fixed, rest } = splitPattern(from);
  const way = relative(join('/', fixed), join('/', path));
  if (isAbsolute(from) || way.startsWith('..')) return null;
  if (rest === null) return { below: way };
  const segments = way.split('/');
  // What lies in a folder that matches is covered with it.
  const covered = segments.some((_, index) => matchesGlob(segments.slice(0, index + 1).join('/'), rest));
  return covered ? { below: way } : null;
}
