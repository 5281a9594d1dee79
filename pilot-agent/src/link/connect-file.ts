import { readFile } from 'node:fs/promises';
import { type ConnectFile, connectFileSchema } from '@pilothouse/sdk/shared';
import { log } from '../log.js';

/** Reads `connect.json`; undefined when there is none (yet), or none that can be used. */
export async function readConnectFile(path: string): Promise<ConnectFile | undefined> {
  try {
    return connectFileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) log(`${path} cannot be used`, error);
    return undefined;
  }
}
