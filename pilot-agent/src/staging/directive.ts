import { lstat, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { splitPattern } from '@pilothouse/sdk/files';
import { PilothouseError, type StagingDirective } from '@pilothouse/sdk/shared';
import { stagingCanceled, stagingFailed } from './failures.js';
import { makeFolders } from './folders.js';
import { type LocalPlace, type Place, placeOf, shownUrl } from './locations.js';
import { partBeside } from './parts.js';
import { put, type Way } from './put.js';
import type { Run } from './run.js';
import { findSources, type Sources } from './sources.js';
import { transferFor } from './transfer/index.js';

/** Where a directive's things go, once its sources are known. */
interface Landing {
  /** Absolute; what the report calls `path`. */
  readonly path: string;
  /** Each thing goes below it by its own name. */
  readonly into: boolean;
}

/**
 * Carries one directive out.
 *
 * @param landed - told the absolute path of the target, where it is a local one
 * @throws PilothouseError
 */
export async function carryOut(run: Run, landed: (path: string) => void): Promise<void> {
  const { directive, field, env, fromBase, toBase } = run;
  const from = placeOf(directive.from, fromBase, env.HOME, field);
  const to = placeOf(directive.to ?? './', toBase, env.HOME, field);
  if (from.kind === 'remote') {
    if (to.kind === 'remote') throw noThirdParty(field);
    checkAction(directive, from, field);
    await bring(run, from.url, to, landed);
    return;
  }
  const sources = await findSources(from.path, field).catch(async (error: unknown) => {
    const moved = run.again && directive.action === 'move' ? await movedBefore(from, to) : null;
    if (moved === null) throw error;
    landed(moved);
    return null;
  });
  if (sources === null) return;
  if (run.checksum.kind === 'is' && (sources.entries.length > 1 || (await isFolder(sources)))) throw oneFileOnly(field);
  if (to.kind === 'remote') {
    checkAction(directive, to, field);
    await send(run, sources, to.url);
    return;
  }
  const landing = await landingOf(sources, to);
  landed(landing.path);
  const way = wayOf(directive, run.direction);
  for (const { path, below } of sources.entries) {
    if (run.signal.aborted) throw stagingCanceled();
    await put(run, path, landing.into ? join(landing.path, below) : landing.path, way);
  }
}

/** A link in points at what is there; a link out is a name of its own, since the task's folder does not stay. */
function wayOf({ action = 'link' }: StagingDirective, direction: 'in' | 'out'): Way {
  switch (action) {
    case 'link':
      return direction === 'in' ? 'symlink' : 'hardlink';
    case 'move':
      return 'move';
    default:
      return 'copy';
  }
}

/** Where something that is no longer at its source was moved to before; null where it is not there either. */
async function movedBefore(from: LocalPlace, to: Place): Promise<string | null> {
  if (to.kind === 'remote') return null;
  const named = join(to.path, basename(from.path));
  for (const path of to.folder ? [named] : [to.path, named]) if (await isAt(path)) return path;
  // Of a pattern nobody knows what it matched: that its folder is there must do.
  return splitPattern(from.path).rest !== null && (await isFolderAt(to.path)) ? to.path : null;
}

async function landingOf({ pattern, entries }: Sources, to: LocalPlace): Promise<Landing> {
  const [first] = entries;
  if (pattern || first === undefined) return { path: to.path, into: true };
  const into = to.folder || (!(await isFolderAt(first.path)) && (await isFolderAt(to.path)));
  // A folder that meets one of its target's name becomes that one, so that doing it again changes nothing.
  return { path: into ? join(to.path, first.below) : to.path, into: false };
}

/** Brings what a URL names into a folder beside the target, and only what is whole from there to its place. */
async function bring(run: Run, url: URL, to: LocalPlace, landed: (path: string) => void): Promise<void> {
  const { field } = run;
  const isThere = await isFolderAt(to.path);
  const beside = to.folder || isThere ? join(to.path, basename(url.pathname) || 'transfer') : to.path;
  const folder = partBeside(beside, run.task, field, url.href);
  try {
    await makeFolders(dirname(folder));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await transferFor(url, field).fetch(run, url, folder);
    const names = await readdir(folder);
    if (names.length === 0) {
      throw new PilothouseError('DATA_NOT_FOUND', `${field}: nothing is there at ${shownUrl(url)}`, { field });
    }
    if (run.checksum.kind === 'is' && names.length > 1) throw oneFileOnly(field);
    const [only] = names;
    const single = names.length === 1 && only !== undefined;
    const into = to.folder || !single || (isThere && !(await isFolderAt(join(folder, only))));
    landed(single && into ? join(to.path, only) : to.path);
    for (const name of names) await put(run, join(folder, name), into ? join(to.path, name) : to.path, 'move');
  } catch (error) {
    if (run.signal.aborted) throw stagingCanceled();
    throw stagingFailed(error, field, 'bringing', to.path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function send(run: Run, sources: Sources, url: URL): Promise<void> {
  const into = sources.pattern || url.pathname.endsWith('/');
  try {
    await transferFor(url, run.field).send(run, sources.entries, url, into);
  } catch (error) {
    if (run.signal.aborted) throw stagingCanceled();
    throw stagingFailed(error, run.field, 'sending to', shownUrl(url));
  }
}

async function isFolder({ entries }: Sources): Promise<boolean> {
  const [first] = entries;
  return first !== undefined && isFolderAt(first.path);
}

async function isAt(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

async function isFolderAt(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true;
}

function checkAction({ action = 'transfer' }: StagingDirective, place: Place, field: string): void {
  if (place.kind === 'local' || action === 'transfer' || action === 'copy') return;
  throw new PilothouseError('INVALID_DESCRIPTION', `${field}: what lies elsewhere cannot be staged by ${action}`, {
    hint: 'Leave the action out, or write transfer.',
    field,
  });
}

function noThirdParty(field: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', `${field}: from and to are both on other machines`, {
    hint: 'Bring it here in one directive and send it in another.',
    field,
  });
}

function oneFileOnly(field: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', `${field}: one checksum is given for several files`, {
    hint: 'Name one file, or write sha256 alone to compare both ends of each.',
    field,
  });
}
