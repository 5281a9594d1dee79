import type { Endpoint, RequestOp, RequestOptions, ServiceApi, ServiceRequest, Usage } from '@pilothouse/sdk/shared';

/** Where one instance answers, and what opens it. */
export interface Target {
  readonly endpoint: Endpoint;
  /** The secret itself; null for a server that asks for none. Never logged. */
  readonly key: string | null;
  /** As people know it, for error sentences: `smollm2 instance 1`. */
  readonly name: string;
  /** Name of the stored credential that `key` came from, for error sentences. */
  readonly credential?: string | null;
  /** Name of the model to send; null: the first that the server lists. */
  readonly model: string | null;
  /**
   * Number of the instance that the request is for, where `endpoint` is the gateway of its pilot. Only through a gateway
   * can a request name files: it reads them next to the instance.
   */
  readonly gatewayInstance?: number;
}

/** One request as an adapter gets it. */
export interface AdapterCall {
  readonly target: Target;
  readonly request: ServiceRequest;
  readonly options: RequestOptions;
  /** Aborting it ends the work at the server too: the connection is closed, or the call is canceled there. */
  readonly signal: AbortSignal;
  /** Called once the server has taken the request and begins to answer. */
  readonly onStart: () => void;
  /** Called for each piece, in order, in the same turn of the event loop in which it was read. */
  readonly onChunk: (text: string, data?: unknown) => void;
}

/** What is known of an answer once its last byte is here. */
export interface Outcome {
  readonly finishReason: string | null;
  readonly usage: Usage | null;
  /** Name and revision of the model, as the server gives them. */
  readonly model: string | null;
  readonly revision: string | null;
  /** What came back where it is not text. */
  readonly value: unknown;
  /** Milliseconds that the server says it computed; null: not reported. */
  readonly inference: number | null;
  /** Milliseconds that the server says the request waited there; null: not reported. */
  readonly queued: number | null;
  /** Milliseconds that connecting took; 0 for a connection that was open already. */
  readonly connect: number;
}

/** What Pilothouse asks of a service API. One folder or file per API implements it. */
export interface Adapter {
  readonly api: ServiceApi;
  readonly ops: ReadonlySet<RequestOp>;
  /**
   * Asks, and streams what comes back.
   *
   * @throws PilothouseError BACKEND_FAILED, STREAM_CUT, SERVICE_UNREACHABLE, AUTHENTICATION_FAILED, CONTEXT_EXCEEDED,
   * CERTIFICATE_REFUSED, UNSUPPORTED_REQUEST …, or the reason of `signal`. `neverArrived(error)` tells whether nothing of
   * the request can have reached the server.
   */
  ask(call: AdapterCall): Promise<Outcome>;
  /** Names of the models that the server lists; empty where its API has no such list. */
  models(target: Target, signal: AbortSignal): Promise<string[]>;
  /** Rejects where the server does not answer; resolves with a short sentence of what it said ("lists 2 models"). */
  check(target: Target, signal: AbortSignal): Promise<string>;
}
