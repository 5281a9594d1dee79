import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const KEY_BYTES = 32;

/** The key of an instance: made once, in a file for this user alone, the same over restarts. */
export async function keyOf(
  folder: string,
  instance: string,
): Promise<{ readonly file: string; readonly key: string }> {
  const path = join(folder, `${instance}.key`);
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      const key = Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(KEY_BYTES))).toString('base64url');
      await file.writeFile(`${key}\n`);
      return { file: path, key };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return { file: path, key: (await readFile(path, 'utf8')).trim() };
  }
}

/** Removes the key of an instance that has ended. */
export async function forgetKey(folder: string, instance: string): Promise<void> {
  await rm(join(folder, `${instance}.key`), { force: true });
}
