import { readFile } from 'node:fs/promises';
import { type Endpoint, type InstanceRecord, PilothouseError, type ServiceRecord } from '@pilothouse/sdk/internal';
import { type Adapters, noFiles, type Target } from '@pilothouse/serving';
import type { Credentials } from '../../credentials/credentials.js';
import type { Picture } from '../../picture/picture.js';

/** APIs whose requests name a model. */
const WITH_MODELS = new Set<ServiceRecord['api']>(['openai', 'ollama', 'open-inference']);

/** Finds where an instance is called, with which key, and by which model name. */
export class Targets {
  readonly #credentials: Credentials;
  readonly #adapters: Adapters;
  readonly #picture: Picture;
  /** First model of each instance's list, for services that name none; an attempt may serve another. */
  readonly #models = new Map<string, string>();

  constructor(credentials: Credentials, adapters: Adapters, picture: Picture) {
    this.#credentials = credentials;
    this.#adapters = adapters;
    this.#picture = picture;
  }

  /** @throws PilothouseError CREDENTIAL_NOT_FOUND, SERVICE_NOT_READY, and what listing the models rejects with */
  async of(service: ServiceRecord, instance: InstanceRecord, signal: AbortSignal): Promise<Target> {
    const target = await this.plain(service, instance);
    return { ...target, model: await this.#model(service, instance, target, signal) };
  }

  /** The same without asking anything of it: the model is what the service names, or null. */
  async plain(service: ServiceRecord, instance: InstanceRecord): Promise<Target> {
    const name = nameOf(service, instance);
    const { endpoint } = instance;
    if (endpoint === null) {
      throw new PilothouseError('SERVICE_NOT_READY', `${name} has no address yet`, {
        hint: 'Ask again once it is ready.',
        ids: { service: service.id, instance: instance.id },
      });
    }
    return {
      endpoint: service.url === null ? endpoint : { ...endpoint, url: service.url },
      key: await this.#key(service, endpoint, name),
      name,
      credential: service.credential,
      model: service.model,
    };
  }

  /**
   * The way by which a request that names files reaches the same instance: the gateway of its pilot, which reads them
   * there.
   *
   * @throws PilothouseError UNSUPPORTED_REQUEST, SERVICE_NOT_READY, CREDENTIAL_NOT_FOUND
   */
  async forFiles(serviceId: string, index: number, direct: Target): Promise<Target> {
    const service = this.#picture.get('service', serviceId);
    const pilot = this.#picture.get('pilot', service?.pilot ?? '');
    if (service === undefined || service.pilot === null || service.api !== 'openai') throw noFiles(direct.name);
    if (pilot?.gateway == null) {
      throw new PilothouseError('SERVICE_NOT_READY', `the pilot of ${direct.name} has no gateway at the moment`, {
        hint: 'Ask again in a moment; see the log of the pilot where it stays away.',
        ids: { service: serviceId },
      });
    }
    const { url, keyFile } = pilot.gateway;
    return {
      endpoint: { url, ports: {}, keyFile, serverKey: null },
      key: await readKey(keyFile, `the gateway of ${pilot.name}`),
      name: direct.name,
      model: service.name,
      gatewayInstance: index,
    };
  }

  async #key(service: ServiceRecord, { keyFile }: Endpoint, name: string): Promise<string | null> {
    if (service.origin === 'attached') {
      return service.credential === null ? null : await this.#credentials.use(service.credential);
    }
    return keyFile === null ? null : await readKey(keyFile, name);
  }

  /** The model to name in a request: the description's, else the first that the server lists. */
  async #model(
    service: ServiceRecord,
    instance: InstanceRecord,
    target: Target,
    signal: AbortSignal,
  ): Promise<string | null> {
    if (service.model !== null || !WITH_MODELS.has(service.api)) return service.model;
    const known = `${instance.id}.${instance.attempt}`;
    const cached = this.#models.get(known);
    if (cached !== undefined) return cached;
    const [first] = await this.#adapters.byApi[service.api].models(target, signal);
    // None yet is asked again: one may be loaded in a moment.
    if (first !== undefined) this.#models.set(known, first);
    return first ?? null;
  }
}

function nameOf(service: ServiceRecord, instance: InstanceRecord): string {
  const several = service.instances.length > 1 || instance.index > 1;
  return several ? `${service.name} instance ${instance.index}` : service.name;
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
