import { readFile, rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type Access, Gateway, type Routable } from '@pilothouse/serving';
import { z } from 'zod';
import { log } from '../log.js';
import type { GatewayKey } from './gateway-key.js';
import type { PilotDirectory } from './pilot-directory.js';

const HOST = '127.0.0.1';
/** What of a gateway outlives its agent: tasks that run keep its address. */
const savedSchema = z.object({ v: z.literal(1), url: z.string(), port: z.int() });

const EVERYTHING: Access = { allows: () => true };

/** The gateway of a pilot as an HTTP server on loopback of its node. */
export class GatewayServer {
  readonly #server: Server;
  readonly #gateway: Gateway;
  readonly url: string;

  private constructor(server: Server, gateway: Gateway, port: number) {
    this.#server = server;
    this.#gateway = gateway;
    this.url = urlOf(port);
  }

  /** Opens it, on the same port as before where that is still free. */
  static async open(folder: string, directory: PilotDirectory, key: GatewayKey): Promise<GatewayServer> {
    const gateway = new Gateway({
      directory,
      log,
      imageFolders: (service) => directory.filesOf(service),
      authorize: ({ authorization }) => {
        const opened = key.open(authorization);
        if (opened === undefined || opened === 'everything') return opened && EVERYTHING;
        return { allows: ({ id }: Routable) => opened.has(id) };
      },
    });
    const server = createServer((request, response) => gateway.handle(request, response));
    server.on('clientError', (_error, socket) => socket.destroy());
    // Streams last as long as they last, and clients that wait in the queue send nothing meanwhile.
    server.requestTimeout = 0;
    const file = join(folder, 'gateway.json');
    const before = await lastPort(file);
    const port = await listen(server, before).catch((error: unknown) => {
      if (before === 0) throw error;
      log(`port ${before} of the gateway has been taken meanwhile`, error);
      return listen(server, 0);
    });
    await writeFile(`${file}.new`, JSON.stringify({ v: 1, url: urlOf(port), port }), { mode: 0o600 });
    await rename(`${file}.new`, file);
    return new GatewayServer(server, gateway, port);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await Promise.all([closed, this.#gateway.close()]);
  }
}

function urlOf(port: number): string {
  return `http://${HOST}:${port}`;
}

async function lastPort(file: string): Promise<number> {
  try {
    return savedSchema.parse(JSON.parse(await readFile(file, 'utf8'))).port;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) log(`${file} cannot be used`, error);
    return 0;
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    server.once('error', failed);
    server.listen(port, HOST, () => {
      server.removeListener('error', failed);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
