import { Credits } from '../streams/credits.js';

/** One client: a WebSocket, or a single call over HTTP. */
export interface Connection {
  readonly kind: 'websocket' | 'http';
  /** Flow control of its streams; undefined over HTTP, where the socket's own counts. */
  readonly credits: Credits | undefined;
  /** Whether the client is still there. */
  readonly alive: boolean;
}

/** @param isOpen - whether its socket is */
export function websocketConnection(isOpen: () => boolean): Connection {
  return {
    kind: 'websocket',
    credits: new Credits(),
    get alive() {
      return isOpen();
    },
  };
}

/** A call over HTTP says nothing about whether its client comes again. */
export function httpConnection(): Connection {
  return { kind: 'http', credits: undefined, alive: false };
}
