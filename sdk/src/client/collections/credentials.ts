import type { Core } from '../handles/core.js';
import type { Credentials } from '../types.js';

/** `session.credentials`: secrets go in and never come back out. */
export function credentialsOf({ caller }: Core): Credentials {
  return {
    list: (options) =>
      caller.call('listing credentials', options, (api, signal) => api.credentials.list({}, { signal })),
    put: (name, secret, options) =>
      caller.call(`storing credential ${name}`, options, (api, signal) =>
        api.credentials.put({ name, secret }, { signal }),
      ),
    async remove(name, options) {
      await caller.call(`removing credential ${name}`, options, (api, signal) =>
        api.credentials.remove({ name }, { signal }),
      );
    },
  };
}
