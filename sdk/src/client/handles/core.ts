import type { DirectCaller } from '../../service-definition/direct.js';
import type { Caller } from '../caller.js';
import type { CallPool } from '../calls/call-pool.js';
import type { Connector } from '../connection/connector.js';
import type { ReadFile } from '../payloads.js';
import type { MemberWatch } from '../picture/member-watch.js';
import type { PictureStore } from '../picture/picture-store.js';
import type { Views } from '../types.js';

/** What every handle of a session works with. */
export interface Core {
  readonly connector: Connector;
  readonly caller: Caller;
  readonly store: PictureStore;
  readonly members: MemberWatch;
  readonly views: Views;
  readonly readFile: ReadFile | null;
  /** The way past the bridge to services of one's own; null where there is none. */
  readonly direct: DirectCaller | null;
  /** Aborts when the session is closed. */
  readonly closed: AbortSignal;
}

/** A session's core, with what makes calls of functions. */
export interface CallingCore extends Core {
  readonly calls: CallPool;
}

/** Calls back, with the reason, when something is closed; at once when it is. Returns what takes the callback back. */
export type OnClosed = (callback: (reason: unknown) => void) => () => void;
