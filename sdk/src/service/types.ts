import type {
  DefinedService,
  HandlerChunk,
  HandlerInput,
  HandlerOutput,
  MethodDefinition,
  MethodDefinitions,
  SingleService,
} from '../service-definition/index.js';

/** What a handler is told beside its input. */
export interface CallContext {
  /** Aborted when the caller has canceled or gone, or the service ends: stop the work. */
  readonly signal: AbortSignal;
  /** Name of the method. */
  readonly method: string;
}

/** What a handler of several calls at once is told. */
export interface BatchContext {
  /** Aborted when nobody waits for any of them. */
  readonly signal: AbortSignal;
  /** One per call. */
  readonly signals: readonly AbortSignal[];
  readonly method: string;
}

/** Answers one call: with a value, or as an async generator that yields pieces and returns the value. */
export type Handler<M extends MethodDefinition = MethodDefinition> = (
  input: HandlerInput<M>,
  context: CallContext,
) => HandlerOutput<M> | Promise<HandlerOutput<M>> | AsyncGenerator<HandlerChunk<M>, HandlerOutput<M>, undefined>;

/** Answers several calls at once, one output per input and in their order; an Error among them fails that call alone. */
export type BatchHandler<M extends MethodDefinition = MethodDefinition> = (
  inputs: HandlerInput<M>[],
  context: BatchContext,
) => readonly (HandlerOutput<M> | Error)[] | Promise<readonly (HandlerOutput<M> | Error)[]>;

/** How calls are collected and answered: at most `max` at once, waiting at most `window` for more. */
export interface BatchOptions<M extends MethodDefinition = MethodDefinition> {
  readonly max: number;
  /** Milliseconds, default 2. */
  readonly window?: number | undefined;
  readonly handler: BatchHandler<M>;
}

/** How one method is answered. */
export type MethodHandler<M extends MethodDefinition = MethodDefinition> =
  | Handler<M>
  | { readonly batch: BatchOptions<M> };

/** How a service is run. */
export interface RunOptions {
  /** Calls that are handled at a time; default 16. A batch counts as one. */
  readonly concurrency?: number | undefined;
  /** Calls that may wait; beyond it QUEUE_FULL. Default 1024. */
  readonly queue?: number | undefined;
  /** What a ping is told: false or an Error is "not healthy", a text says how it is. Default: healthy. */
  readonly health?: (() => boolean | string | Promise<boolean | string>) | undefined;
  /** Milliseconds that calls under way may take when the service is asked to end; default 30 s. */
  readonly drainTimeout?: number | undefined;
  /** `tcp://127.0.0.1:5555`; default: `$PILOTHOUSE_SERVICE_ADDRESS`, else a free port of this machine. */
  readonly address?: string | undefined;
  /** Version of the service, told in a ping. Default: empty. */
  readonly version?: string | undefined;
  /** Whether a service that is started by hand prints how to attach it; default true. */
  readonly announce?: boolean | undefined;
  /** Whether SIGTERM and SIGINT drain the service and end the process; default true. */
  readonly handleSignals?: boolean | undefined;
}

/** Options of `serve`. */
export type ServeOptions<S extends DefinedService> = RunOptions & HandlersOf<S>;

/** The handlers that a service needs: one, or one per method. */
export type HandlersOf<S extends DefinedService> =
  S extends SingleService<infer M>
    ? { readonly handler: Handler<M> } | { readonly batch: BatchOptions<M> }
    : S extends DefinedService<infer Methods>
      ? { readonly handlers: HandlerTable<Methods> }
      : never;

/** One handler per method. */
export type HandlerTable<M extends MethodDefinitions = MethodDefinitions> = {
  readonly [Name in keyof M]: MethodHandler<M[Name]>;
};

/** A service that runs in this process. */
export interface Served {
  readonly name: string;
  /** Where it answers, with the port that it got. */
  readonly address: string;
  /** Its public CURVE key (Z85). */
  readonly serverKey: string;
  /** File that holds the token which callers need. */
  readonly keyFile: string;
  /** Calls taken and not answered. */
  readonly outstanding: number;
  /** Takes nothing new, and resolves when what it has is answered, or `drainTimeout` is over. */
  drain(): Promise<void>;
  /** Drains, then closes. */
  close(): Promise<void>;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
}
