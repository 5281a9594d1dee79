import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { BridgeApi } from '../../src/client/api.js';
import { ReconnectingConnector } from '../../src/client/connection/reconnecting.js';
import type { Dial } from '../../src/client/connection/socket.js';
import { LiveSession } from '../../src/client/session.js';
import { PilothouseError } from '../../src/errors/index.js';
import { ContractServer } from './contract-server.js';

/** A dial without any finding or starting: only this socket. */
export function dialPath(path: string): Dial {
  return (signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const socket = new WebSocket(`ws+unix:${path}:/ws`, { perMessageDeflate: false });
      socket.on('error', (cause) => reject(new PilothouseError('BRIDGE_UNREACHABLE', 'nobody listens', { cause })));
      socket.once('open', () => resolve({ socket }));
      signal.addEventListener('abort', () => {
        socket.terminate();
        reject(signal.reason);
      });
    });
}

/** A session over a real socket to a server of the test's own. */
export interface Served {
  readonly server: ContractServer;
  readonly session: LiveSession;
  readonly connector: ReconnectingConnector;
  end(): Promise<void>;
}

export async function serve(api: () => BridgeApi, name = 'test'): Promise<Served> {
  const folder = mkdtempSync('/tmp/ph-sdk-');
  const server = new ContractServer(join(folder, 's'), api);
  await server.start();
  const connector = new ReconnectingConnector({ dial: dialPath(server.path), client: 'test' });
  const session = new LiveSession(connector, () => ({ name, kind: 'node', env: {} }));
  return {
    server,
    session,
    connector,
    async end() {
      await session.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves once `condition` holds; looks again whenever the event loop turns, until the deadline. */
export async function eventually(condition: () => boolean, what: string, seconds = 20): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
