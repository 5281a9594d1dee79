import { readFile } from 'node:fs/promises';
import { type InstanceRecord, PilothouseError, type ServiceRecord } from '@pilothouse/sdk/internal';
import type { ApiAddress, ChatApi } from '../../adapters/types.js';
import type { Credentials } from '../../credentials/credentials.js';

/** Finds where an instance is called, with which key, and by which model name. */
export class Addresses {
  readonly #credentials: Credentials;
  /** First model of each instance's list, for services that name none; an attempt may serve another. */
  readonly #models = new Map<string, string | null>();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** @throws PilothouseError CREDENTIAL_NOT_FOUND, SERVICE_NOT_READY */
  async address(service: ServiceRecord, instance: InstanceRecord): Promise<ApiAddress> {
    const name = service.instances.length > 1 ? `${service.name} instance ${instance.index}` : service.name;
    if (service.origin === 'attached' && service.url !== null) {
      const key = service.credential === null ? null : await this.#credentials.use(service.credential);
      return { base: service.url, key, name, credential: service.credential };
    }
    const { endpoint } = instance;
    if (endpoint === null) {
      throw new PilothouseError('SERVICE_NOT_READY', `${name} has no address yet`, {
        hint: 'Ask again once it is ready.',
        ids: { service: service.id, instance: instance.id },
      });
    }
    const key = endpoint.keyFile === null ? null : await readKey(endpoint.keyFile, name);
    return { base: `${endpoint.url}/v1`, key, name };
  }

  /** The model to name in a request: the description's, else the first that the server lists. */
  async model(
    service: ServiceRecord,
    instance: InstanceRecord,
    api: ChatApi,
    address: ApiAddress,
    signal: AbortSignal,
  ): Promise<string | null> {
    if (service.model !== null) return service.model;
    const known = `${instance.id}.${instance.attempt}`;
    const cached = this.#models.get(known);
    if (cached !== undefined) return cached;
    const [first] = await api.models(address, signal);
    this.#models.set(known, first ?? null);
    return first ?? null;
  }
}

async function readKey(file: string, name: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new PilothouseError('CREDENTIAL_NOT_FOUND', `the key of ${name} cannot be read from ${file}`, {
      hint: 'Stop the service and start it again; it then gets a new key.',
      cause,
    });
  }
}
