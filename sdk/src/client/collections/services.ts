import type { ServiceDescription } from '../../schemas/index.js';
import type { Core } from '../handles/core.js';
import { ServiceHandle } from '../handles/service-handle.js';
import type { ServiceInput, Services } from '../types.js';
import { reference } from './reference.js';

/** Attaching asks the server itself, which may be slow to answer. */
const ATTACH = '60s';

function plain({ pilot, ...rest }: ServiceInput): ServiceDescription {
  return pilot === undefined ? rest : { ...rest, pilot: reference(pilot) };
}

/** `session.services` */
export function servicesOf(core: Core): Services {
  const { caller, store } = core;
  return {
    templates: (options) =>
      caller.call('listing templates', options, (api, signal) => api.services.templates({}, { signal })),
    async start(what, input = {}, options) {
      const submission = caller.submission();
      const description = { ...plain(input), ...(input.command === undefined ? { template: what } : { name: what }) };
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
    async get(ref, options) {
      const record = await caller.call(`service ${ref}`, options, (api, signal) =>
        api.services.get({ ref }, { signal }),
      );
      return new ServiceHandle(core, store.services.put(record));
    },
    async list({ all = false, ...options } = {}) {
      const records = await caller.call('listing services', options, (api, signal) =>
        api.services.list({ all }, { signal }),
      );
      return records.map((record) => new ServiceHandle(core, store.services.put(record)));
    },
  };
}
