import type { RemoteService, ServiceRecord } from '@pilothouse/sdk/internal';
import { routingSchema } from '@pilothouse/sdk/internal';

/** Requests that one instance takes at a time where nobody has said. */
const CONCURRENCY = 64;

/** A service as an agent gets it that calls it and does not run it. */
export function remoteOf({ id, name, api, model, description, instances }: ServiceRecord): RemoteService {
  const routing = routingSchema.parse(description.routing ?? {});
  return {
    id,
    name,
    api,
    model,
    routing: { ...routing, concurrency: routing.concurrency ?? CONCURRENCY },
    endpoints: instances.flatMap(({ index, endpoint, state, draining }) =>
      endpoint === null || state !== 'READY' || draining ? [] : [{ index, endpoint }],
    ),
  };
}
