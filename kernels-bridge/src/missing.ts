/** Whether a file or folder was not there. Everything else that can go wrong with one is a failure. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * For `.catch(…)` of a look at a file: what stands for it where it is not there.
 *
 * @example
 * ```ts
 * const names = await readdir(folder).catch(whereMissing([]));
 * ```
 */
export function whereMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (isMissing(error)) return instead;
    throw error;
  };
}
