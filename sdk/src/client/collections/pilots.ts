import type { PilotDescription } from '../../schemas/index.js';
import type { Core } from '../handles/core.js';
import { PilotHandle } from '../handles/pilot-handle.js';
import type { CallOptions, Pilot, Pilots } from '../types.js';

/** `session.pilots` */
export function pilotsOf(core: Core): Pilots {
  const { caller, store } = core;
  return {
    async submit(description: PilotDescription, options?: CallOptions): Promise<Pilot> {
      const submission = caller.submission();
      const record = await caller.call('submitting the pilot', options, (api, signal) =>
        api.pilots.submit({ description, ...submission }, { signal }),
      );
      return new PilotHandle(core, store.pilots.put(record));
    },
    async ensure(name, description, options) {
      const submission = caller.submission();
      const record = await caller.call(`pilot ${name}`, options, (api, signal) =>
        api.pilots.ensure({ name, description, ...submission }, { signal }),
      );
      return new PilotHandle(core, store.pilots.put(record));
    },
    async get(ref, options) {
      const record = await caller.call(`pilot ${ref}`, options, (api, signal) => api.pilots.get({ ref }, { signal }));
      return new PilotHandle(core, store.pilots.put(record));
    },
    async list({ all = false, ...options } = {}) {
      const records = await caller.call('listing pilots', options, (api, signal) =>
        api.pilots.list({ all }, { signal }),
      );
      return records.map((record) => new PilotHandle(core, store.pilots.put(record)));
    },
    preview(description, options) {
      return caller.call('the preview', options, (api, signal) => api.pilots.preview({ description }, { signal }));
    },
  };
}
