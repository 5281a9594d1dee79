import { createORPCClient } from '@orpc/client';
import { type StandardLinkClient, StandardRPCLink } from '@orpc/client/standard';
import { ClientPeer } from '@orpc/standard-server-peer';
import { PilothouseError } from '../../errors/index.js';
import { formatBytes } from '../../units/size.js';
import type { BridgeApi } from '../api.js';
import { decodeError } from '../decode-error.js';
import type { Link } from './connector.js';
import type { Dialed, WebSocketLike } from './socket.js';

const OPEN = 1;
/** Close code for a frame that does not follow the protocol (RFC 6455, 7.4.1). */
const PROTOCOL_ERROR = 1002;

/** Bytes of one request. The bridge takes 8 MiB, of which the frame around the request needs a little. */
const LARGEST_REQUEST = 8 * 1024 * 1024 - 4096;

/**
 * One socket's worth of RPC. Pending calls and streams end with it, and {@link Link.lost} tells a loss from an abort,
 * which the RPC layer does not (both are an `AbortError` there).
 */
export class SocketLink implements Link {
  readonly api: BridgeApi;
  readonly closed: Promise<PilothouseError>;
  readonly #socket: WebSocketLike;
  readonly #peer: ClientPeer;
  #lost: PilothouseError | null = null;
  #lastSeen = performance.now();
  #settle: (error: PilothouseError) => void = () => undefined;

  constructor({ socket, onSignOfLife }: Dialed) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#peer = new ClientPeer((message) => this.#send(message));
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('close', ({ code, reason }) => this.drop(lossError(code, reason)));
    socket.addEventListener('error', () => this.drop(lossError(1006, '')));
    onSignOfLife?.(() => {
      this.#lastSeen = performance.now();
    });
    this.api = createORPCClient(new StandardRPCLink(this.#linkClient(), { url: 'http://orpc' }));
    if (socket.readyState !== OPEN) this.drop(lossError(1006, ''));
  }

  get lost(): PilothouseError | null {
    return this.#lost;
  }

  /** milliseconds since anything came from the other side */
  get silence(): number {
    return performance.now() - this.#lastSeen;
  }

  drop(reason: PilothouseError): void {
    if (this.#lost) return;
    this.#lost = reason;
    this.#peer.close({ reason });
    this.#socket.close(reason.code === 'INVALID_FRAME' ? PROTOCOL_ERROR_CLIENT : 1000);
    this.#settle(reason);
  }

  #linkClient(): StandardLinkClient<Record<never, never>> {
    return {
      call: async (request) => {
        if (this.#lost) throw this.#lost;
        checkSize(request.body);
        const response = await this.#peer.request(request);
        return { ...response, body: () => Promise.resolve(response.body) };
      },
    };
  }

  /**
   * Never throws: the RPC layer also sends from listeners of abort signals, where a throw would end the process. A call
   * whose request could not be sent ends with the link.
   */
  #send(message: unknown): void {
    if (this.#lost) return;
    try {
      // Only blobs travel as bytes, and no call of the contract carries one.
      if (typeof message !== 'string') throw new TypeError('bytes where text was expected');
      this.#socket.send(message);
    } catch (cause) {
      this.drop(lossError(1006, cause instanceof Error ? cause.message : String(cause)));
    }
  }

  /** A frame that is not RPC would otherwise end as an unhandled rejection, and in Node end the process. */
  #receive(data: unknown): void {
    this.#lastSeen = performance.now();
    if (this.#lost) return;
    if (typeof data !== 'string') {
      this.drop(frameError('bytes where text was expected'));
      return;
    }
    this.#peer.message(data).catch((error: unknown) => this.drop(frameError(decodeError(error).message)));
  }
}

/** Browsers allow only 1000 and 3000-4999 from scripts; this is 1002 in the range for applications. */
const PROTOCOL_ERROR_CLIENT = 3000 + PROTOCOL_ERROR;

/** The bridge would close the connection for it, and with it every other call and stream. */
function checkSize(body: unknown): void {
  const text = JSON.stringify(body) ?? '';
  // A UTF-16 unit takes three bytes at most, so that hardly any request has to be counted.
  if (text.length * 3 <= LARGEST_REQUEST) return;
  const size = new TextEncoder().encode(text).byteLength;
  if (size <= LARGEST_REQUEST) return;
  throw new PilothouseError('INVALID_DESCRIPTION', `This has ${formatBytes(size)}; a call takes at most 8 MiB.`, {
    hint: 'Make several calls of it, or pass large data in a file.',
  });
}

function frameError(detail: string): PilothouseError {
  return new PilothouseError('INVALID_FRAME', `Something that is not Pilothouse answered: ${detail}.`, {
    retryable: true,
    hint: 'Check what else uses this address; the connection is being opened again.',
  });
}

function lossError(code: number, reason: string): PilothouseError {
  return new PilothouseError(
    'CONNECTION_LOST',
    `The connection to Pilothouse was lost${reason ? `: ${reason}` : ''}.`,
    {
      hint: 'It is being opened again; what runs goes on meanwhile.',
      evidence: `WebSocket close code ${code}`,
    },
  );
}
