import { routingSchema } from '../schemas/routing.js';
import type { ServiceRecord } from '../schemas/service-record.js';
import type { DirectCaller, DirectCallOptions, DirectOutcome, DirectRequest } from '../service-definition/direct.js';
import { type DirectInstance, ServiceClient } from './service-client.js';

/** Milliseconds that connecting may take before a call goes by the bridge. */
const CONNECT_TIMEOUT = 2000;
/** Milliseconds after which a service that could not be reached is tried again. */
const AGAIN = 60_000;

interface Known {
  readonly client: ServiceClient;
  record: ServiceRecord | undefined;
  /** Undefined: nobody has tried. */
  reachable: Promise<boolean> | undefined;
  triedAt: number;
}

/** Calls launched services of one's own at their instances, where this host reaches them. */
export class DirectCalls implements DirectCaller {
  readonly #services = new Map<string, Known>();

  async call(
    record: ServiceRecord,
    request: DirectRequest,
    options: DirectCallOptions,
  ): Promise<DirectOutcome | undefined> {
    const instances = instancesOf(record);
    if (instances.length === 0) return undefined;
    const known = this.#known(record, instances);
    if (!(await this.#reachable(known))) return undefined;
    return known.client.call(request, options);
  }

  close(): void {
    for (const { client } of this.#services.values()) client.close();
    this.#services.clear();
  }

  #known(record: ServiceRecord, instances: readonly DirectInstance[]): Known {
    let known = this.#services.get(record.id);
    if (known === undefined) {
      const { id, name, description } = record;
      const routing = routingSchema.parse(description.routing ?? {});
      const client = new ServiceClient({ name, ids: { service: id }, routing, connectTimeout: CONNECT_TIMEOUT });
      known = { client, record: undefined, reachable: undefined, triedAt: 0 };
      this.#services.set(id, known);
    }
    if (known.record !== record) {
      known.record = record;
      known.client.update(instances);
    }
    return known;
  }

  /** Loopback of another node, a key file that is not here: known only by trying. */
  #reachable(known: Known): Promise<boolean> {
    const now = performance.now();
    if (known.reachable === undefined || (known.triedAt > 0 && now - known.triedAt > AGAIN)) {
      known.triedAt = 0;
      const trying = known.client.reachable();
      known.reachable = trying;
      void trying.then((reached) => {
        if (!reached) known.triedAt = performance.now();
      });
    }
    return known.reachable;
  }
}

/** Those that take calls now, and have a key file: attached ones have a credential, which stays in the bridge. */
function instancesOf({ api, origin, instances }: ServiceRecord): DirectInstance[] {
  if (api !== 'zeromq' || origin !== 'launched') return [];
  return instances.flatMap(({ id, index, state, draining, endpoint }) => {
    const taking = state === 'READY' && !draining && endpoint !== null;
    return taking && endpoint.serverKey !== null && endpoint.keyFile !== null ? [{ id, index, endpoint }] : [];
  });
}
