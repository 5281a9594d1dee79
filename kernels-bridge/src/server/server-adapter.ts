import type { StandardHandler } from '@orpc/server/standard';
import { createServerPeerHandleRequestFn } from '@orpc/server/standard-peer';
import {
  type DecodedRequestMessage,
  decodeRequestMessage,
  encodeResponseMessage,
  experimental_ServerPeerWithoutCodec as ServerPeer,
} from '@orpc/standard-server-peer';
import type { RawData, WebSocket } from 'ws';
import type { CallContext } from './implementer.js';

/** Bytes that may wait in a socket before a stream to it pauses. */
const BUFFER_LIMIT = 256 * 1024;
/** Bytes from which a request counts as large, and how much of them is in hand at a time. */
const LARGE = 64 * 1024;
const IN_HAND = 1024 * 1024;
/** Close code for a frame that is none of ours: only that client is closed. */
export const CLOSE_INVALID_FRAME = 4400;

/**
 * Serves oRPC on one WebSocket, with the back-pressure that oRPC's own adapter lacks: a send waits while the socket has
 * more than 256 KiB to write, so that a stream to a slow reader pauses instead of filling memory and blocking everybody.
 *
 * @param invalid - called with the cause before the socket is closed for a frame that is not oRPC
 */
export function serveSocket(
  ws: WebSocket,
  handler: StandardHandler<CallContext>,
  context: CallContext,
  invalid: (cause: unknown) => void,
): void {
  const sender = new PatientSender(ws);
  const peer = new ServerPeer(async ([id, type, payload]) => {
    const message = await encodeResponseMessage(id, type, payload);
    await sender.send(message);
  });
  const handle = createServerPeerHandleRequestFn(handler, { context });

  ws.on('message', (data: RawData, isBinary: boolean) => {
    answer(data, isBinary).catch((error: unknown) => {
      // What a call does wrong is answered; left over is a socket that closed while its answer was written.
      if (ws.readyState === ws.OPEN) invalid(error);
    });
  });
  ws.on('close', () => {
    sender.close();
    peer.close();
  });

  /** Bytes of large requests that are being answered. */
  let large = 0;

  async function answer(data: RawData, isBinary: boolean): Promise<void> {
    const size = toBytes(data).length;
    if (size < LARGE) return take(data, isBinary);
    large += size;
    // Requests that wait for their turn would fill memory: the rest of them waits with their sender.
    if (large > IN_HAND && !ws.isPaused) ws.pause();
    try {
      await take(data, isBinary);
    } finally {
      large -= size;
      if (large <= IN_HAND && ws.isPaused) ws.resume();
    }
  }

  async function take(data: RawData, isBinary: boolean): Promise<void> {
    let message: DecodedRequestMessage;
    try {
      message = await decodeRequestMessage(isBinary ? toBytes(data) : toBytes(data).toString('utf8'));
      checkRequest(message);
    } catch (cause) {
      invalid(cause);
      ws.close(CLOSE_INVALID_FRAME, 'INVALID_FRAME: not a message of this protocol');
      return;
    }
    await peer.message(message, handle);
  }
}

/** oRPC takes whatever JSON comes; what lacks an id or an address would fail later and be nobody's error. */
function checkRequest([id, , payload]: DecodedRequestMessage): void {
  if (typeof id !== 'string') throw new TypeError('a message without an id');
  if (typeof payload === 'object' && 'url' in payload && typeof payload.method !== 'string') {
    throw new TypeError('a request without a method');
  }
}

function toBytes(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** Sends at once while the socket keeps up, and waits while it does not. */
class PatientSender {
  #waiting: (() => void)[] = [];
  #closed = false;

  constructor(private readonly ws: WebSocket) {}

  async send(data: string | ArrayBufferLike | Uint8Array): Promise<void> {
    if (this.#closed) return;
    this.ws.send(data, () => this.#written());
    while (!this.#closed && this.ws.bufferedAmount > BUFFER_LIMIT) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #written(): void {
    if (this.ws.bufferedAmount <= BUFFER_LIMIT) this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
