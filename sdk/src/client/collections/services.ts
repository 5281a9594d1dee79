import type { ServiceDescription } from '../../schemas/index.js';
import type { DefinedService } from '../../service-definition/types.js';
import type { Core } from '../handles/core.js';
import { callerOf } from '../handles/service-caller.js';
import { ServiceHandle } from '../handles/service-handle.js';
import type { CallOptions, Service, ServiceCaller, ServiceInput, Services } from '../types.js';
import { reference } from './reference.js';

/** Attaching asks the server itself, which may be slow to answer. */
const ATTACH = '60s';

function plain({ pilot, ...rest }: ServiceInput): ServiceDescription {
  return pilot === undefined ? rest : { ...rest, pilot: reference(pilot) };
}

/** What `start` and `preview` describe: a template, or under this name a command. */
function described(what: string, input: ServiceInput): ServiceDescription {
  return { ...plain(input), ...(input.command === undefined ? { template: what } : { name: what }) };
}

/** `session.services` */
export function servicesOf(core: Core): Services {
  const { caller, store } = core;
  const find = async (ref: string, options?: CallOptions): Promise<Service> => {
    const record = await caller.call(`service ${ref}`, options, (api, signal) => api.services.get({ ref }, { signal }));
    return new ServiceHandle(core, store.services.put(record));
  };
  function get(ref: string, options?: CallOptions): Promise<Service>;
  function get<S extends DefinedService>(
    definition: S,
    options?: { readonly service?: string | Service | undefined },
  ): ServiceCaller<S>;
  function get(
    what: string | DefinedService,
    options: CallOptions & { readonly service?: string | Service | undefined } = {},
  ): unknown {
    if (typeof what === 'string') return find(what, options);
    return callerOf(core, what, options.service ?? what.name, find);
  }
  return {
    templates: (options) =>
      caller.call('listing templates', options, (api, signal) => api.services.templates({}, { signal })),
    async start(what, input = {}, options) {
      const submission = caller.submission();
      const description = described(what, input);
      const record = await caller.call(`starting ${what}`, options, (api, signal) =>
        api.services.start({ description, ...submission }, { signal }),
      );
      return new ServiceHandle(core, store.services.put(record));
    },
    async ensure(name, input = {}, options) {
      const submission = caller.submission();
      const description = plain(input);
      const record = await caller.call(`service ${name}`, options, (api, signal) =>
        api.services.ensure({ name, description, ...submission }, { signal }),
      );
      return new ServiceHandle(core, store.services.put(record));
    },
    async attach(description, options) {
      const submission = caller.submission();
      const record = await caller.call(`attaching ${description.url}`, { timeout: ATTACH, ...options }, (api, signal) =>
        api.services.attach({ description, ...submission }, { signal }),
      );
      return new ServiceHandle(core, store.services.put(record));
    },
    preview: (what, input = {}, options) =>
      caller.call(`preview of ${what}`, options, (api, signal) =>
        api.services.preview({ description: described(what, input) }, { signal }),
      ),
    detect: (description, options) =>
      caller.call(`looking at ${description.url}`, { timeout: ATTACH, ...options }, (api, signal) =>
        api.services.detect({ description }, { signal }),
      ),
    get,
    async list({ all = false, ...options } = {}) {
      const records = await caller.call('listing services', options, (api, signal) =>
        api.services.list({ all }, { signal }),
      );
      return records.map((record) => new ServiceHandle(core, store.services.put(record)));
    },
  };
}
