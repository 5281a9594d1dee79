import type { BatchProgress, Beat, RemoteService } from '@pilothouse/sdk/shared';
import type { Adapters } from '@pilothouse/serving';
import { Batches } from '../batches/batches.js';
import { AgentGateway, type GatewayAddress } from '../gateway/agent-gateway.js';
import type { NodeContext } from '../node-context.js';
import type { Supervisor } from '../supervisor/supervisor.js';

/** What goes from this pilot to services: through its own router, and in batches. */
export class Requests {
  readonly gateway: AgentGateway;
  readonly batches: Batches;
  #adapters: Promise<Adapters> | undefined;

  /** @param opened - called when the router answers */
  constructor(context: NodeContext, services: Supervisor, opened: (address: GatewayAddress) => void) {
    const { pilot, past, journal } = context;
    this.gateway = new AgentGateway(pilot.folder, services, opened);
    const folders = (service: string) => services.service(service)?.spec.files ?? null;
    this.batches = new Batches({
      pilot,
      past,
      journal,
      directory: () => this.gateway.directory(),
      filesOf: folders,
      adapters: async () => (await this.#opened()).byApi,
      hold: (service, why) => services.hold(service, why),
    });
  }

  /** A service of elsewhere is there, or has changed. */
  remote(service: RemoteService): void {
    this.gateway.remote(service);
  }

  /** What beats say of them. */
  get reports(): Pick<Beat, 'loads' | 'batches'> {
    const { loads } = this.gateway;
    const batches: Record<string, BatchProgress> = this.batches.progress;
    return {
      ...(Object.keys(loads).length > 0 ? { loads } : {}),
      ...(Object.keys(batches).length > 0 ? { batches } : {}),
    };
  }

  /** The pilot ends. */
  async close(): Promise<void> {
    await this.gateway.close();
    (await this.#adapters)?.close();
  }

  #opened(): Promise<Adapters> {
    this.#adapters ??= import('@pilothouse/serving').then(({ createAdapters }) => createAdapters());
    return this.#adapters;
  }
}
