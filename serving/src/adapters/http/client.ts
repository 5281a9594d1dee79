import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ConnectTimeout, connectionError, isStale } from './failures.js';

/** Milliseconds in which a connection must be there. */
const CONNECT_TIMEOUT = 10_000;

/** One HTTP exchange; the body of the reply is read by the caller. */
export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
  /** As people know the server, for error sentences. */
  readonly name: string;
  /**
   * It must not reach the server twice, whatever happens: an idle connection is not used for it, since one that is closed
   * just then leaves open whether the request was read.
   */
  readonly once?: boolean;
}

export interface HttpReply {
  readonly response: IncomingMessage;
  /** Milliseconds that connecting took; 0 for a connection that was open already. */
  readonly connect: number;
}

/**
 * HTTP to model servers: connections stay open between requests, one set per endpoint; TLS is 1.3 and verified.
 */
export class HttpClient {
  readonly #http = new HttpAgent({ keepAlive: true, maxFreeSockets: 64 });
  readonly #https = new HttpsAgent({ keepAlive: true, maxFreeSockets: 64, minVersion: 'TLSv1.3' });

  /**
   * Sends a request and resolves when the head of the reply is here.
   *
   * An idle connection may be closed by the server at the very moment it is used again. Nothing of the request was read
   * then, so it is sent once more, on a new connection; in no other case is anything sent twice.
   *
   * @throws PilothouseError SERVICE_UNREACHABLE, CERTIFICATE_REFUSED; the reason of the signal
   */
  async exchange(call: HttpCall): Promise<HttpReply> {
    try {
      return await this.#attempt(call, call.once !== true);
    } catch (error) {
      if (error instanceof StaleConnection) return await this.#attempt(call, false);
      throw error;
    }
  }

  /** Closes the connections that wait for a next request. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #attempt(call: HttpCall, pooled: boolean): Promise<HttpReply> {
    call.signal.throwIfAborted();
    const url = new URL(call.url);
    const secure = url.protocol === 'https:';
    const started = performance.now();
    let connected = started;
    const request = (secure ? httpsRequest : httpRequest)(url, {
      method: call.method,
      agent: pooled ? (secure ? this.#https : this.#http) : false,
      ...(secure ? { minVersion: 'TLSv1.3' as const } : {}),
      headers: {
        ...call.headers,
        ...(call.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(call.body)) }),
      },
      signal: call.signal,
    });
    const { promise, resolve, reject } = Promise.withResolvers<HttpReply>();
    const impatience = setTimeout(() => request.destroy(new ConnectTimeout(CONNECT_TIMEOUT)), CONNECT_TIMEOUT);
    request.once('socket', (socket) => {
      const ready = () => {
        connected = performance.now();
        clearTimeout(impatience);
      };
      if (request.reusedSocket) {
        connected = started;
        clearTimeout(impatience);
      } else socket.once(secure ? 'secureConnect' : 'connect', ready);
      socket.setNoDelay(true);
    });
    request.once('response', (response) => resolve({ response, connect: connected - started }));
    // Stays on: a request that is torn down late must not end the process with an unhandled 'error'.
    request.on('error', (error) => {
      clearTimeout(impatience);
      reject(call.signal.aborted ? call.signal.reason : failure(error, call, request));
    });
    request.end(call.body);
    return promise;
  }
}

/** The server closed an idle connection just when it was used again. */
class StaleConnection extends Error {}

function failure(error: Error, call: HttpCall, request: ClientRequest): Error {
  if (request.reusedSocket && isStale(error)) return new StaleConnection();
  const { host, protocol } = new URL(call.url);
  return connectionError(error, { name: call.name, host, secure: protocol === 'https:' });
}
