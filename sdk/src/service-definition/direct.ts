import type { ServiceRecord } from '../schemas/service-record.js';

/** What came back from an instance that was called without the bridge. */
export interface DirectOutcome {
  readonly value: unknown;
  readonly instance: { readonly id: string; readonly index: number };
  /** Milliseconds that the request waited at the instance, as it says. */
  readonly waited: number;
  /** Milliseconds that its handler took, as it says. */
  readonly ran: number;
  /** Milliseconds between asking and the last byte, everything included. */
  readonly total: number;
}

/** One call that goes straight to an instance. */
export interface DirectRequest {
  readonly method: string;
  readonly input: unknown;
  readonly stream: boolean;
}

/** How a direct call is made. */
export interface DirectCallOptions {
  /** Aborting it cancels the call at the instance too. */
  readonly signal?: AbortSignal | undefined;
  /** Number of the one instance to ask. */
  readonly instance?: number | undefined;
  /** Higher goes first where calls wait for an instance. */
  readonly priority?: number | undefined;
  /** For `session-affinity`. */
  readonly session?: string | undefined;
  /** Called when an instance is asked; again where another one is asked after a failure. */
  readonly onStart?: ((instance: { readonly id: string; readonly index: number }) => void) | undefined;
  /** Called for each piece in order; the next ones come when what it returns has resolved. */
  readonly onChunk?: ((data: unknown) => void | Promise<void>) | undefined;
}

/** Calls services straight at their instances, where a way exists. */
export interface DirectCaller {
  /**
   * undefined: there is no direct way to that service from here, and nothing has been asked; the bridge has one.
   *
   * @throws PilothouseError what the handler or its instance failed with; the reason of `signal`
   */
  call(record: ServiceRecord, request: DirectRequest, options: DirectCallOptions): Promise<DirectOutcome | undefined>;
  /** Closes its connections; calls under way fail. */
  close(): void;
}
