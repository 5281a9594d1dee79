import type { Target } from '../../src/types.js';

/** A server at an address, as adapters ask it. */
export function targetAt(url: string, more: Partial<Target> = {}): Target {
  return {
    endpoint: { url, ports: {}, keyFile: null, serverKey: null },
    key: null,
    name: 'the server',
    model: null,
    ...more,
  };
}
