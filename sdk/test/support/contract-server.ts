import { createServer, type Server } from 'node:http';
import { ORPCError } from '@orpc/client';
import { StandardRPCJsonSerializer, StandardRPCSerializer } from '@orpc/client/standard';
import type { StandardRequest, StandardResponse } from '@orpc/standard-server';
import { ServerPeer } from '@orpc/standard-server-peer';
import { type WebSocket, WebSocketServer } from 'ws';
import type { BridgeApi } from '../../src/client/api.js';
import { PilothouseError, toErrorData } from '../../src/errors/index.js';

const STATUS = 409;
const serializer = new StandardRPCSerializer(new StandardRPCJsonSerializer());

/** Serves an API over WebSocket on a unix socket, as the bridge does, with a hand on its connections. */
export class ContractServer {
  readonly path: string;
  readonly #api: () => BridgeApi;
  readonly #sockets = new Set<WebSocket>();
  #server: Server | null = null;
  /** Called before each message goes out; return false to break the connection instead. */
  beforeSend: (message: string) => boolean = () => true;
  /** Calls received, by `router/procedure`. */
  readonly calls: string[] = [];
  connections = 0;

  constructor(path: string, api: () => BridgeApi) {
    this.path = path;
    this.#api = api;
  }

  async start(): Promise<void> {
    const server = createServer();
    const sockets = new WebSocketServer({ server, perMessageDeflate: false });
    sockets.on('connection', (socket) => this.#serve(socket));
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
    this.#server = server;
  }

  /** Breaks every connection, as a crash would. */
  cut(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  async stop(): Promise<void> {
    this.cut();
    const server = this.#server;
    this.#server = null;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Says something that is no RPC. */
  sendRaw(text: string): void {
    for (const socket of this.#sockets) socket.send(text);
  }

  #serve(socket: WebSocket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    const peer = new ServerPeer(async (message) => {
      const text = String(message);
      if (!this.beforeSend(text)) {
        socket.terminate();
        return;
      }
      await new Promise<void>((resolve) => socket.send(text, () => resolve()));
    });
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      peer.message(String(data), (request) => this.#handle(request)).catch(() => undefined);
    });
    socket.on('close', () => {
      this.#sockets.delete(socket);
      peer.close();
    });
  }

  async #handle(request: StandardRequest): Promise<StandardResponse> {
    const [router = '', name = ''] = request.url.pathname.slice(1).split('/');
    this.calls.push(`${router}/${name}`);
    try {
      const calls: unknown = Reflect.get(this.#api(), router);
      const call: unknown = typeof calls === 'object' && calls !== null ? Reflect.get(calls, name) : undefined;
      if (typeof call !== 'function') throw new PilothouseError('UNKNOWN_METHOD', `there is no call ${router}.${name}`);
      const output: unknown = await call(serializer.deserialize(request.body), { signal: request.signal });
      const body = isIterator(output) ? typedErrors(output) : output;
      return { status: 200, headers: {}, body: serializer.serialize(body) };
    } catch (error) {
      return { status: STATUS, headers: {}, body: serializer.serialize(wireError(error).toJSON()) };
    }
  }
}

function wireError(error: unknown): ORPCError<string, unknown> {
  if (error instanceof ORPCError) return error;
  const data = toErrorData(error);
  return new ORPCError(data.code, { status: STATUS, message: data.message, data });
}

function isIterator(value: unknown): value is AsyncGenerator<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

async function* typedErrors(source: AsyncGenerator<unknown>): AsyncGenerator<unknown> {
  try {
    yield* source;
  } catch (error) {
    throw wireError(error);
  }
}
