import { Credits } from '../streams/credits.js';

/** One client: a WebSocket, or a single call over HTTP. */
export interface Connection {
  readonly kind: 'websocket' | 'http';
  /** Flow control of its streams; undefined over HTTP, where the socket's own counts. */
  readonly credits: Credits | undefined;
}

export function websocketConnection(): Connection {
  return { kind: 'websocket', credits: new Credits() };
}

export function httpConnection(): Connection {
  return { kind: 'http', credits: undefined };
}
