import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/shared';

/** Names that a "not found" shows of what is there instead. */
const NAMES_SHOWN = 6;

/** The code of an error of the system: ENOENT, ENOSPC … */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The error of a task that was canceled while its data was on the way. */
export function stagingCanceled(): PilothouseError {
  return new PilothouseError('TASK_CANCELED', 'canceled while its data was on the way', {
    hint: 'Files that were complete stay; nothing half done is left.',
  });
}

/**
 * The error of a source that is not there: which one, and the nearest folder above it that is, which tells a wrong name
 * from a folder that was purged.
 *
 * @param field - the directive: `stageIn.0`
 * @param path - absolute, without wildcards
 * @param pattern - the pattern that matched nothing in `path`
 */
export async function dataNotFound(field: string, path: string, pattern?: string): Promise<PilothouseError> {
  const parent = await nearestThatIs(path);
  const there = parent === path || parent === dirname(path);
  if (pattern !== undefined && parent === path) {
    return new PilothouseError('DATA_NOT_FOUND', `${field}: nothing in ${path} matches ${pattern}`, {
      hint: `Check the pattern, or add optional: true if there may be nothing. ${await whatIsIn(path, pattern)}`,
      field,
    });
  }
  const hint = there
    ? `Check the name. ${await whatIsIn(parent, basename(path))}`
    : `Nothing is left below ${parent}, the nearest folder that is there: check the path, or whether it was purged.`;
  return new PilothouseError('DATA_NOT_FOUND', `${field}: ${path} is not there`, { hint, field, evidence: parent });
}

/** A failed file operation as an error that says what to do; one of ours is passed on. */
export function stagingFailed(error: unknown, field: string, doing: string, path: string): PilothouseError {
  if (error instanceof PilothouseError) return error;
  const options = { field, cause: error, evidence: error instanceof Error ? error.message : String(error) };
  const code = systemCode(error);
  switch (code) {
    case 'ENOSPC':
      return new PilothouseError('DISK_FULL', `${field}: no space is left while ${doing} ${path}`, {
        ...options,
        hint: `Make room where ${path} lies (df -h and df -i say how much there is), then retry.`,
      });
    case 'EDQUOT':
      return new PilothouseError('DISK_FULL', `${field}: your quota is used up while ${doing} ${path}`, {
        ...options,
        hint: `Remove files where ${path} lies, or ask for a larger quota (quota -s, or lfs quota on Lustre).`,
      });
    case 'EACCES':
    case 'EPERM':
      return new PilothouseError('PERMISSION_DENIED', `${field}: not allowed while ${doing} ${path}`, {
        ...options,
        hint: `Check the permissions of ${path} and of its folder: ls -ld says who may write there.`,
      });
    case 'EROFS':
      return new PilothouseError(
        'PERMISSION_DENIED',
        `${field}: ${path} lies on a file system that is read-only here`,
        {
          ...options,
          hint: 'Choose a folder that this node may write to.',
        },
      );
    case 'EISDIR':
    case 'ENOTDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      return new PilothouseError('STAGING_FAILED', `${field}: a file and a folder meet at ${path}`, {
        ...options,
        hint: 'Choose another target, or end it with / to put things into that folder.',
      });
    case 'ENAMETOOLONG':
      return new PilothouseError('STAGING_FAILED', `${field}: the path ${path} is too long`, {
        ...options,
        hint: 'Choose a shorter target.',
      });
    case 'ENOENT':
      return new PilothouseError('STAGING_FAILED', `${field}: ${path} went away, or cannot be made`, {
        ...options,
        hint: `Check whether ${path} can be there: in /proc, and where folders are mounted on demand, none can be made.`,
      });
    default:
      return new PilothouseError('STAGING_FAILED', `${field}: failed while ${doing} ${path}`, {
        ...options,
        hint: 'The file system refused; see the message, then retry.',
      });
  }
}

async function nearestThatIs(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const found = await lstat(at).catch(() => null);
    if (found !== null || at === dirname(at)) return at;
  }
}

/** What a folder holds that is most like the name looked for. */
async function whatIsIn(folder: string, name: string): Promise<string> {
  const names = await readdir(folder).catch((): string[] => []);
  if (names.length === 0) return `${folder} is empty.`;
  const alike = (other: string): number => commonPrefix(other, name) + commonPrefix(reverse(other), reverse(name));
  const shown = names.sort((a, b) => alike(b) - alike(a)).slice(0, NAMES_SHOWN);
  return `${folder} holds ${shown.join(', ')}${names.length > shown.length ? ', …' : ''}.`;
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length += 1;
  return length;
}

function reverse(text: string): string {
  return [...text].reverse().join('');
}
