import { readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { PilothouseError } from '../errors/index.js';
import { LEASE_STALE_SECONDS, type LeaseFile, leaseFileSchema } from '../wire/index.js';

/** The lease that counts (the highest number), or null where there is none. */
export async function readLease(home: string): Promise<LeaseFile | null> {
  const folder = join(home, 'lease');
  const names = await readdir(folder).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return [];
    throw unreadable(folder, cause);
  });
  const epochs = names.filter((name) => /^\d+$/.test(name)).map(Number);
  for (const epoch of epochs.sort((a, b) => b - a)) {
    const file = join(folder, String(epoch));
    try {
      return leaseFileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    } catch (cause) {
      // Removed by a younger bridge between listing and reading.
      if (codeOf(cause) === 'ENOENT') continue;
      throw unreadable(file, cause);
    }
  }
  return null;
}

/** Refuses to start a second bridge while one of another host holds the lease and says so. */
export function refuseForeignLease(lease: LeaseFile): void {
  if (lease.released || lease.host === hostname()) return;
  const age = (Date.now() - Date.parse(lease.heartbeat)) / 1000;
  if (age > LEASE_STALE_SECONDS) return;
  throw new PilothouseError('OWNED_ELSEWHERE', `Pilothouse runs for you on ${lease.host}.`, {
    hint: `Work there, end it there with "pilothouse bridge stop", or take over here with connect({ takeOver: true }) or PILOTHOUSE_TAKE_OVER=1.`,
    evidence: `lease ${lease.epoch} of ${lease.host}, last seen ${lease.heartbeat}`,
  });
}

/** The system's name of an error: `ENOENT`, `EACCES` … */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function unreadable(path: string, cause: unknown): PilothouseError {
  const denied = codeOf(cause) === 'EACCES' || codeOf(cause) === 'EPERM';
  return new PilothouseError(denied ? 'PERMISSION_DENIED' : 'STATE_UNREACHABLE', `${path} cannot be read.`, {
    hint: denied
      ? 'Each user has a Pilothouse of their own: unset PILOTHOUSE_HOME, or run as its owner.'
      : 'Check that the file system with your home is there; run "pilothouse doctor".',
    cause,
  });
}
