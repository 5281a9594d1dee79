import { readFile } from 'node:fs/promises';
import { PilothouseError } from '../errors/index.js';
import type { Endpoint } from '../schemas/service-record.js';

/** One instance of a service of one's own, as it is reached. */
export interface Target {
  /** `tcp://host:port` or `ipc:///path` */
  readonly address: string;
  /** Public CURVE key of the service (Z85). */
  readonly serverKey: string;
  /** What opens it. Never logged. */
  readonly token: string;
  /** For error sentences: `dose-response instance 2`. */
  readonly name: string;
  /** Ids for errors: `{ service, instance }`. */
  readonly ids?: Readonly<Record<string, string>> | undefined;
}

/**
 * What reaches the instance of an endpoint, with its token read from the file.
 *
 * @throws PilothouseError AUTHENTICATION_FAILED where the endpoint has no key, or the file cannot be read
 */
export async function targetOf(endpoint: Endpoint, who: Pick<Target, 'name' | 'ids'>): Promise<Target> {
  const { url, keyFile, serverKey } = endpoint;
  if (serverKey === null || keyFile === null) {
    throw new PilothouseError(
      'AUTHENTICATION_FAILED',
      `${who.name} gave no ${serverKey === null ? 'server key' : 'token'}.`,
      {
        hint: 'Start it with Pilothouse, or attach it with its server key and a credential.',
        ids: who.ids,
      },
    );
  }
  return { address: url, serverKey, token: await readToken(keyFile, who), ...who };
}

async function readToken(keyFile: string, who: Pick<Target, 'name' | 'ids'>): Promise<string> {
  try {
    return (await readFile(keyFile, 'utf8')).trim();
  } catch (cause) {
    throw new PilothouseError('AUTHENTICATION_FAILED', `The key file of ${who.name} cannot be read: ${keyFile}`, {
      hint: 'Call it through Pilothouse, which reads the file next to the instance.',
      ids: who.ids,
      cause,
    });
  }
}
