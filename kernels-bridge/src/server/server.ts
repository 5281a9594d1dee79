import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { StandardRPCSerializer } from '@orpc/client/standard';
import { OpenAPIHandler } from '@orpc/openapi/node';
import type { Router } from '@orpc/server';
import { BodyLimitPlugin } from '@orpc/server/node';
import { StandardHandler, StandardRPCCodec, StandardRPCMatcher } from '@orpc/server/standard';
import type { Contract, PilothouseError } from '@pilothouse/sdk/internal';
import { Gateway, sendError } from '@pilothouse/serving';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../logger.js';
import { httpConnection, websocketConnection } from './connection.js';
import { toWireError, unknownMethod } from './errors.js';
import type { CallContext } from './implementer.js';
import { errorInterceptors } from './interceptors.js';
import { PlainSerializer } from './plain-serializer.js';
import { serveSocket } from './server-adapter.js';

/** Largest message either way; bulk data takes other ways. */
const MAX_MESSAGE = 8 * 1024 * 1024;
/** Seconds between two pings; they find dead clients and keep proxies on the way from closing quiet ones. */
const PING_SECONDS = 15;
/** Pings without an answer after which a client is dead: a kernel that computes answers none for a while. */
const MISSED_PINGS = 6;
const API = '/api/v1';

/**
 * The socket that all clients meet at: oRPC over WebSocket at `/ws`, the same calls as JSON under `/api/v1`, and the
 * gateway to services at `/v1` and `/services`.
 */
export class BridgeServer {
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE, perMessageDeflate: false });
  readonly #rpc: StandardHandler<CallContext>;
  readonly #api: OpenAPIHandler<CallContext>;
  readonly #missed = new WeakMap<WebSocket, number>();
  #calls = 0;
  #refusal: PilothouseError | null = null;
  #pings: NodeJS.Timeout | undefined;

  constructor(
    router: Router<Contract, CallContext>,
    private readonly gateway: Gateway,
    private readonly path: string,
    private readonly log: Logger,
  ) {
    const options = errorInterceptors(() => this.#refusal, log);
    const codec = new StandardRPCCodec(new StandardRPCSerializer(new PlainSerializer()));
    this.#rpc = new StandardHandler<CallContext>(router, new StandardRPCMatcher(), codec, {
      ...options,
      rootInterceptors: [
        async ({ next, request }) => {
          const result = await next();
          if (result.matched) return result;
          const error = toWireError(unknownMethod(request.url.pathname));
          return { matched: true, response: { status: error.status, headers: {}, body: { json: error.toJSON() } } };
        },
      ],
    });
    this.#api = new OpenAPIHandler<CallContext>(router, {
      ...options,
      plugins: [new BodyLimitPlugin({ maxBodySize: MAX_MESSAGE })],
    });
    this.#http = createServer((request, response) => {
      this.#calls += 1;
      response.once('close', () => {
        this.#calls -= 1;
      });
      if (Gateway.owns(request.url ?? '')) {
        if (this.#refusal !== null) sendError(response, this.#refusal);
        else this.gateway.handle(request, response);
        return;
      }
      this.#answer(request, response).catch((error: unknown) => {
        this.log.error('a call over HTTP failed', error);
        response.destroy();
      });
    });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    // Requests that wait in the queue of a service send nothing meanwhile, and streams last as long as they last.
    this.#http.requestTimeout = 0;
    // A broken request must end its own connection and nothing else.
    this.#http.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Clients that are connected at the moment. */
  get clients(): number {
    return this.#sockets.clients.size + this.#calls;
  }

  /** Binds the socket. What an earlier bridge left there is removed first, which only the holder of the lock may do. */
  async listen(): Promise<void> {
    rmSync(this.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(this.path, () => resolve());
    });
    chmodSync(this.path, 0o600);
    this.#pings = setInterval(() => this.#ping(), PING_SECONDS * 1000);
    this.#pings.unref();
  }

  /** Answers every call from now on with this error. */
  refuse(error: PilothouseError): void {
    this.#refusal = error;
  }

  /**
   * Closes every connection.
   *
   * @param keepPath - leave the socket's file: it may be another bridge's by now
   */
  async close(keepPath = false): Promise<void> {
    clearInterval(this.#pings);
    for (const client of this.#sockets.clients) client.close(1001, 'the bridge ends');
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeAllConnections();
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    for (const client of this.#sockets.clients) client.terminate();
    if (!keepPath) rmSync(this.path, { force: true });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const context: CallContext = { connection: httpConnection() };
    const { matched } = await this.#api.handle(request, response, { prefix: API, context });
    if (matched) return;
    const error = toWireError(unknownMethod((request.url ?? '/').replace(API, '')));
    response.writeHead(error.status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(error.toJSON()));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Relays put the query of their own address behind it.
    if ((request.url ?? '').split('?')[0] !== '/ws') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#connect(ws));
  }

  #connect(ws: WebSocket): void {
    ws.on('pong', () => this.#missed.delete(ws));
    ws.on('message', () => this.#missed.delete(ws));
    // Without a listener a broken or oversized frame would end the process instead of this connection.
    ws.on('error', (error) => this.log.warn(`a client's connection failed: ${error.message}`));
    serveSocket(ws, this.#rpc, { connection: websocketConnection(() => ws.readyState === ws.OPEN) }, (cause) =>
      this.log.warn(`INVALID_FRAME: a client sent what is no message and was closed: ${String(cause)}`),
    );
  }

  #ping(): void {
    for (const client of this.#sockets.clients) {
      const missed = this.#missed.get(client) ?? 0;
      if (missed >= MISSED_PINGS) {
        client.terminate();
        continue;
      }
      this.#missed.set(client, missed + 1);
      client.ping();
    }
  }
}
