import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type InstanceLoad, PilothouseError, type RemoteService, type ServiceApi } from '@pilothouse/sdk/shared';
import type { Directory, Routable } from '@pilothouse/serving';
import { log } from '../log.js';
import { GatewayKey } from './gateway-key.js';
import type { GatewayServer } from './gateway-server.js';
import type { PilotDirectory } from './pilot-directory.js';
import type { ServiceSource } from './service-source.js';

/** Where the gateway answers, and the file of its key. */
export interface GatewayAddress {
  readonly url: string;
  readonly keyFile: string;
}

interface Open {
  readonly directory: PilotDirectory;
  readonly server: GatewayServer;
  readonly key: GatewayKey;
}

/** APIs whose clients look for OPENAI_BASE_URL. */
const OPENAI: ReadonlySet<ServiceApi> = new Set(['openai', 'ollama']);

/**
 * The pilot's own router for requests: tasks on its node, its batches and requests with files come through it, with a
 * bridge or without. It opens with the first service, since most pilots have none and should start at once.
 */
export class AgentGateway {
  readonly #folder: string;
  readonly #source: ServiceSource;
  readonly #opened: (address: GatewayAddress) => void;
  readonly #unsubscribe: () => void;
  readonly #remotes = new Map<string, RemoteService>();
  #open: Open | undefined;
  #opening: Promise<Open> | undefined;
  #closed = false;

  /** @param opened - called when it answers, also after a restart of the agent */
  constructor(folder: string, source: ServiceSource, opened: (address: GatewayAddress) => void) {
    this.#folder = folder;
    this.#source = source;
    this.#opened = opened;
    this.#unsubscribe = source.onChange(() => this.#look());
  }

  /** A service of elsewhere is there, or has changed. */
  remote(service: RemoteService): void {
    this.#remotes.set(service.id, service);
    this.#ensure().then(
      ({ directory }) => directory.remote(service),
      () => undefined,
    );
  }

  /** The services that are called from here. */
  async directory(): Promise<Directory> {
    return (await this.#ensure()).directory;
  }

  /** Requests under way, by instance of this pilot. */
  get loads(): Record<string, InstanceLoad> {
    return this.#open?.directory.loads ?? {};
  }

  /**
   * What a task finds in its environment of the services (ids) that it names.
   *
   * @throws PilothouseError SERVICE_NOT_FOUND
   */
  async variables(task: string, services: readonly string[]): Promise<Record<string, string>> {
    if (services.length === 0) return {};
    const { directory, server, key } = await this.#ensure();
    const found = services.map((id) => directory.find(id) ?? missing(id));
    const variables: Record<string, string> = {
      OPENAI_BASE_URL: `${server.url}/v1`,
      OPENAI_API_KEY: key.tokenFor(task, services),
    };
    const model = found.find(({ api }) => OPENAI.has(api));
    if (model !== undefined) variables.OPENAI_MODEL = model.name;
    for (const service of found) Object.assign(variables, this.#variablesOf(service, server.url));
    return variables;
  }

  /** Closes it for good: the pilot ends, and what it kept for the next agent is not needed any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    const open = await this.#opening?.catch(() => undefined);
    open?.directory.close();
    await open?.server.close();
    await Promise.all(['gateway.json', 'gateway.key'].map((name) => rm(join(this.#folder, name), { force: true })));
  }

  #variablesOf({ id, name, api }: Routable, url: string): Record<string, string> {
    const variable = `PILOTHOUSE_SERVICE_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
    if (api !== 'zeromq' && api !== 'ru-zmq') return { [variable]: `${url}/services/${encodeURIComponent(name)}` };
    // Another protocol than HTTP: such a service is called where it is.
    const service = this.#source.services().find(({ spec }) => spec.id === id);
    const own = service?.instances.find(({ state }) => state === 'READY')?.endpoint;
    const endpoint = own ?? this.#remotes.get(id)?.endpoints[0]?.endpoint;
    if (endpoint === undefined) return {};
    return {
      [variable]: endpoint.url,
      ...(endpoint.keyFile === null ? {} : { [`${variable}_KEY_FILE`]: endpoint.keyFile }),
      ...(endpoint.serverKey === null ? {} : { [`${variable}_SERVER_KEY`]: endpoint.serverKey }),
    };
  }

  #look(): void {
    if (this.#opening === undefined && this.#source.services().length > 0) this.#ensure().catch(() => undefined);
  }

  #ensure(): Promise<Open> {
    if (this.#opening === undefined) {
      const opening = this.#start();
      this.#opening = opening;
      opening.catch((error: unknown) => {
        log('the gateway cannot be opened', error);
        // Whoever needs it next tries again.
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  async #start(): Promise<Open> {
    if (this.#closed) throw new PilothouseError('PILOT_ENDED', 'the pilot is ending', { hint: 'Start a new pilot.' });
    const [{ PilotDirectory }, { GatewayServer }, key] = await Promise.all([
      import('./pilot-directory.js'),
      import('./gateway-server.js'),
      GatewayKey.of(this.#folder),
    ]);
    const directory = new PilotDirectory(this.#source);
    try {
      const server = await GatewayServer.open(this.#folder, directory, key);
      this.#open = { directory, server, key };
      this.#opened({ url: server.url, keyFile: key.file });
      return this.#open;
    } catch (error) {
      directory.close();
      throw error;
    }
  }
}

function missing(id: string): never {
  throw new PilothouseError('SERVICE_NOT_FOUND', `service ${id} is not on this pilot`, {
    hint: 'Name a service of the same pilot.',
    ids: { service: id },
  });
}
