/** What the client needs of a WebSocket: the browser's own and npm's `ws` both have it. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void;
  addEventListener(
    type: 'error',
    listener: (event: { readonly message?: string; readonly error?: unknown }) => void,
  ): void;
}

/** A way to open a socket to the bridge, and to learn of its pings where the runtime shows them. */
export interface Dialed {
  readonly socket: WebSocketLike;
  /** Calls back on signs of life other than messages, such as ping frames. */
  readonly onSignOfLife?: (callback: () => void) => void;
}

/**
 * Opens a socket, doing whatever must be done first (finding or starting the bridge).
 *
 * @throws PilothouseError; when it is not `retryable`, calls fail with it at once instead of waiting
 */
export type Dial = (signal: AbortSignal) => Promise<Dialed>;
