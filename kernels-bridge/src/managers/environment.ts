import { isAbsolute, join } from 'node:path';
import { type Origin, PilothouseError } from '@pilothouse/sdk/internal';
import type { Config } from '../config.js';

/** Where programs are looked up for callers that do not say. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The whole environment of a task or service: who the user is, the caller's PATH and friends, the description's own
 * variables, and where Pilothouse is. Nothing of the bridge or of Jupyter gets in.
 */
export function buildEnvironment(
  config: Config,
  origin: Origin,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const caller = Object.fromEntries(
    Object.entries(origin.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return {
    HOME: config.userHome,
    USER: config.user,
    LOGNAME: config.user,
    LANG: 'C.UTF-8',
    PATH: DEFAULT_PATH,
    ...caller,
    ...own,
    PILOTHOUSE_HOME: config.home,
    PILOTHOUSE_RUNTIME_DIR: config.runtimeDir,
  };
}

/** Absolute working directory: the caller's, or the one asked for, seen from the caller's. */
export function resolveDirectory(config: Config, origin: Origin, wanted: string | undefined): string {
  const base = origin.cwd ?? config.userHome;
  if (wanted === undefined) return base;
  if (wanted.includes('\0')) {
    throw new PilothouseError('INVALID_DESCRIPTION', 'cwd holds a NUL character', { field: 'cwd' });
  }
  const expanded = wanted === '~' || wanted.startsWith('~/') ? join(config.userHome, wanted.slice(1)) : wanted;
  return isAbsolute(expanded) ? expanded : join(base, expanded);
}
