import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { curveKeyPair } from 'zeromq';
import { z } from 'zod';
import { PilothouseError } from '../errors/index.js';

/** Where a service answers and what opens it. */
export interface ServiceSettings {
  readonly name: string;
  readonly address: string;
  readonly keyFile: string;
  readonly token: string;
  readonly publicKey: string;
  readonly secretKey: string;
  /** Started by Pilothouse, or by hand: then its keys are its own. */
  readonly byHand: boolean;
}

const curveSchema = z.object({ publicKey: z.string().length(40), secretKey: z.string().length(40) });

/** A free port of this machine. */
const ANY_PORT = 'tcp://127.0.0.1:*';

/**
 * What Pilothouse says in the environment of an instance; for a service that is started by hand, keys of its own in the
 * state root, the same at each start.
 *
 * @throws PilothouseError INVALID_DESCRIPTION where the environment names files that cannot be used
 */
export async function serviceSettings(name: string, address: string | undefined): Promise<ServiceSettings> {
  const {
    PILOTHOUSE_SERVICE_KEY_FILE: keyFile,
    PILOTHOUSE_SERVICE_CURVE_FILE: curveFile,
    PILOTHOUSE_SERVICE_ADDRESS: given = ANY_PORT,
    PILOTHOUSE_SERVICE_NAME: launchedAs,
  } = process.env;
  const place = { name: launchedAs ?? name, address: address ?? given };
  if (keyFile !== undefined && curveFile !== undefined) {
    return { ...place, keyFile, byHand: false, ...(await readKeys(keyFile, curveFile)) };
  }
  const folder = join(process.env.PILOTHOUSE_HOME || join(homedir(), '.pilothouse'), 'own-services', name);
  const own = { token: join(folder, 'token'), curve: join(folder, 'curve') };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await makeOnce(own.token, () => randomBytes(32).toString('base64url'));
  await makeOnce(own.curve, () => JSON.stringify(curveKeyPair()));
  return { ...place, name, keyFile: own.token, byHand: true, ...(await readKeys(own.token, own.curve)) };
}

async function readKeys(keyFile: string, curveFile: string) {
  try {
    const token = (await readFile(keyFile, 'utf8')).trim();
    if (token === '') throw new Error(`${keyFile} is empty`);
    return { token, ...curveSchema.parse(JSON.parse(await readFile(curveFile, 'utf8'))) };
  } catch (cause) {
    throw new PilothouseError(
      'INVALID_DESCRIPTION',
      `The keys of the service cannot be read: ${keyFile}, ${curveFile}`,
      {
        hint: 'Remove both files, or unset PILOTHOUSE_SERVICE_KEY_FILE and PILOTHOUSE_SERVICE_CURVE_FILE.',
        cause,
      },
    );
  }
}

/** Two that start at the same moment must not end with half of each other's keys: the first complete file stays. */
async function makeOnce(path: string, make: () => string): Promise<void> {
  const there = await readFile(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
      throw error;
    },
  );
  if (there) return;
  const written = `${path}.${randomUUID()}`;
  await writeFile(written, make(), { mode: 0o600, flag: 'wx' });
  try {
    await link(written, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(written);
  }
}
