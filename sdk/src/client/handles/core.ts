import type { Caller } from '../caller.js';
import type { Connector } from '../connection/connector.js';
import type { PictureStore } from '../picture/picture-store.js';
import type { Views } from '../types.js';

/** What every handle of a session works with. */
export interface Core {
  readonly connector: Connector;
  readonly caller: Caller;
  readonly store: PictureStore;
  readonly views: Views;
  /** Aborts when the session is closed. */
  readonly closed: AbortSignal;
}

/** Calls back, with the reason, when something is closed; at once when it is. Returns what takes the callback back. */
export type OnClosed = (callback: (reason: unknown) => void) => () => void;
