import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface TestServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<unknown>;
}

/** An HTTP server on loopback that answers as told: for faults, and for replies that no server at hand gives. */
export async function serve(
  handle: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  tls?: { readonly key: string; readonly cert: string },
): Promise<TestServer> {
  const listener: RequestListener = (request, response) => {
    // A request is read to its end, so that a client that has gone is noticed.
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.once('end', () => handle(request, response, Buffer.concat(parts).toString('utf8')));
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
