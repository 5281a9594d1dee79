import { readFile } from 'node:fs/promises';
import { PilothouseError } from '@pilothouse/sdk/internal';
import { type RegistryFile, registryFileSchema, registryPath, STALE_AFTER } from '../../managers/registry-file.js';
import { isMissing } from '../../missing.js';

/**
 * Reads `services.json`, for when Pilothouse itself cannot be asked.
 *
 * @returns the file, and why it may be wrong; null: it is kept up to date
 * @throws PilothouseError SERVICE_NOT_FOUND where there is none
 */
export async function readRegistry(
  home: string,
  now = Date.now(),
): Promise<{ file: RegistryFile; stale: string | null }> {
  const path = registryPath(home);
  try {
    const file = registryFileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return { file, stale: staleness(file, now) };
  } catch (cause) {
    const what = isMissing(cause) ? 'is not there' : 'cannot be read';
    throw new PilothouseError('SERVICE_NOT_FOUND', `${path} ${what}`, {
      hint: 'Start a service first; the file is written as soon as there is one.',
      cause,
    });
  }
}

/** Why what a file says may be wrong by now; null: it is written anew as long as Pilothouse runs, and was of late. */
export function staleness({ at, watched, host }: RegistryFile, now: number): string | null {
  const seconds = Math.round((now - Date.parse(at)) / 1000);
  if (!watched) return `Pilothouse ended ${seconds} s ago; what runs on pilots goes on, and may have moved since.`;
  if (seconds <= STALE_AFTER) return null;
  return `It was written ${seconds} s ago by Pilothouse on ${host}, which has not been heard of since.`;
}
