import { randomUUID } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Writes a file of the user alone (0600) so that whoever reads it finds the old text or the new one, never a part. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const whole = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  const file = await open(whole, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
  try {
    await rename(whole, path);
  } catch (error) {
    await unlink(whole);
    throw error;
  }
}
