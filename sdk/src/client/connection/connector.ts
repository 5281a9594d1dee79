import type { PilothouseError } from '../../errors/index.js';
import type { BridgeApi } from '../api.js';
import type { StateStream } from '../streams/state-stream.js';
import type { Connection } from '../types.js';

/** One open connection to a bridge. It never comes back: after a loss there is a new one. */
export interface Link {
  readonly api: BridgeApi;
  /** Why it is gone; null while it is open. */
  readonly lost: PilothouseError | null;
  /** Resolves (never rejects) when it is gone. */
  readonly closed: Promise<PilothouseError>;
  /** Gives it up. */
  drop(reason: PilothouseError): void;
}

/** Something that keeps a connection to the bridge: over a socket, or in memory for tests. */
export interface Connector {
  readonly state: StateStream<Connection>;
  /** The open link, waiting for it while it reconnects; rejects when there can be none, or with `signal.reason`. */
  link(signal: AbortSignal): Promise<Link>;
  /** Tries at once instead of waiting for the next attempt. */
  reconnect(): void;
  close(): Promise<void>;
}
