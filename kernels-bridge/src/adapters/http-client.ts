import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { PilothouseError } from '@pilothouse/sdk/internal';

/** Milliseconds in which a connection must be there. */
const CONNECT_TIMEOUT = 10_000;

/** One HTTP exchange; the body of the reply is read by the caller. */
export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** As people know the server, for error sentences. */
  readonly name: string;
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
  readonly #http = new HttpAgent({ keepAlive: true, maxFreeSockets: 4 });
  readonly #https = new HttpsAgent({ keepAlive: true, maxFreeSockets: 4, minVersion: 'TLSv1.3' });

  /**
   * Sends a request and resolves when the head of the reply is here.
   *
   * An idle connection may be closed by the server at the very moment it is used again. Nothing of the request was read
   * then, so it is sent once more, on a new connection; in no other case is anything sent twice.
   */
  async exchange(call: HttpCall): Promise<HttpReply> {
    try {
      return await this.#attempt(call, true);
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
    const impatience = setTimeout(() => request.destroy(new ConnectTimeout()), CONNECT_TIMEOUT);
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
      reject(call.signal.aborted ? call.signal.reason : explain(error, call, request));
    });
    request.end(call.body);
    return promise;
  }
}

/** The server closed an idle connection just when it was used again. */
class StaleConnection extends Error {}

class ConnectTimeout extends Error {
  readonly code = 'CONNECT_TIMEOUT';
}

/** Whether nothing of the request can have reached the server, so that asking another instance is safe. */
export function neverArrived(error: unknown): boolean {
  return error instanceof PilothouseError && NEVER_ARRIVED.has(codeOf(error.cause) ?? '');
}

const NEVER_ARRIVED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECT_TIMEOUT',
]);

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  ECONNRESET: 'it closed the connection before it answered',
  EPIPE: 'it closed the connection before it answered',
  CONNECT_TIMEOUT: `it did not take the connection within ${CONNECT_TIMEOUT / 1000} s`,
};

function explain(error: Error, call: HttpCall, request: ClientRequest): Error {
  const code = codeOf(error);
  if (request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')) return new StaleConnection();
  const { host, protocol } = new URL(call.url);
  const tls = protocol === 'https:' && code !== undefined && /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code);
  const why = tls ? `its certificate was not accepted (${code})` : (SENTENCES[code ?? ''] ?? error.message);
  return new PilothouseError('SERVICE_UNREACHABLE', `${call.name} at ${host} cannot be reached: ${why}`, {
    hint: tls
      ? 'Have its certificate signed by an authority that this machine trusts; it is never left unchecked.'
      : 'Check that it still runs and that its address is right.',
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Reads a whole body as text, up to `limit` bytes; what is longer is cut. */
export async function readText(response: IncomingMessage, limit: number): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    if (!Buffer.isBuffer(part)) throw new TypeError('a response body came as something other than bytes');
    parts.push(part);
    size += part.length;
    if (size >= limit) break;
  }
  return Buffer.concat(parts).subarray(0, limit).toString('utf8');
}
