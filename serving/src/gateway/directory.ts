import type { ServiceApi } from '@pilothouse/sdk/shared';
import type { Target } from '../types.js';

/** Where the time of a request went, in milliseconds; `inference` null: not reported. */
export interface Parts {
  readonly communication: number;
  readonly queue: number;
  readonly service: number;
  readonly inference: number | null;
}

/** The right to send one request to one instance; given back exactly once. */
export interface Place {
  readonly instance: { readonly id: string; readonly index: number };
  readonly target: Target;
  /** Median health round trip in milliseconds. */
  readonly roundTrip: number;
  /** It ended well; milliseconds. */
  succeeded(total: number, parts?: Parts): void;
  /** It failed there: counts towards leaving the instance out. `refused`: nothing could even be connected. */
  failed(why: string, refused: boolean): void;
  /** It ended for a reason that says nothing about the instance (stopped, a bad request). */
  dropped(): void;
}

/** What a request says while it looks for a place. */
export interface Seeking {
  readonly signal: AbortSignal;
  readonly priority?: number | undefined;
  /** For `session-affinity`. */
  readonly session?: string | undefined;
  /** Beginning of the prompt, for `prefix-affinity`. */
  readonly prefix?: string | undefined;
  /** Number of the one instance wanted. */
  readonly instance?: number | undefined;
  /** Ids of instances that have failed this request. */
  readonly tried?: ReadonlySet<string> | undefined;
  /** Called when the reason for waiting changes. */
  readonly onWait?: ((reason: { readonly code: string; readonly text: string }) => void) | undefined;
}

/** A service that requests can be sent to. */
export interface Routable {
  readonly id: string;
  readonly name: string;
  readonly api: ServiceApi;
  readonly model: string | null;
  /** Milliseconds to the first byte; null: as long as the request. */
  readonly attemptTimeout: number | null;
  /** Milliseconds without a byte after which a second instance is asked too; null: never. */
  readonly hedgeAfter: number | null;
  readonly retries: number;
  /**
   * Waits for a place at an instance.
   *
   * @throws PilothouseError SERVICE_STOPPED, SERVICE_FAILED, QUEUE_FULL with `retryAfter`; the reason of the signal
   */
  acquire(seeking: Seeking): Promise<Place>;
  /** Whether an instance is ready that is not among these. */
  hasOther(tried: ReadonlySet<string>): boolean;
}

/** The services behind one gateway: those of a user in the bridge, those of a pilot in its agent. */
export interface Directory {
  /** By name or id; undefined: there is none. */
  find(name: string): Routable | undefined;
  list(): readonly Routable[];
}
