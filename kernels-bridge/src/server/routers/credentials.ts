import type { Credentials } from '../../credentials/credentials.js';
import { os } from '../implementer.js';

export function credentialsRouter(credentials: Credentials) {
  return {
    list: os.credentials.list.handler(() => credentials.list()),
    put: os.credentials.put.handler(({ input }) => credentials.put(input.name, input.secret)),
    remove: os.credentials.remove.handler(async ({ input }) => {
      await credentials.remove(input.name);
      return {};
    }),
  };
}
