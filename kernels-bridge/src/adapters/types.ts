import type { Message, Usage } from '@pilothouse/sdk/internal';

/** Where an API is, and what opens it. */
export interface ApiAddress {
  /** Base URL that the API's own paths are appended to: `http://127.0.0.1:41233/v1`. */
  readonly base: string;
  /** The secret itself; null for a server that asks for none. Never logged. */
  readonly key: string | null;
  /** As people know it, for error sentences: `smollm2 instance 1`. */
  readonly name: string;
  /** Name of the stored credential that `key` came from, for error sentences. */
  readonly credential?: string | null;
}

/** One request for an answer. */
export interface ChatCall {
  readonly address: ApiAddress;
  readonly model: string | null;
  readonly messages: readonly Message[];
  readonly maxTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly seed?: number | undefined;
  /** Aborting it closes the connection, which ends the generation at the server. */
  readonly signal: AbortSignal;
  /** Called once the server has taken the request and begins to answer. */
  readonly onStart: () => void;
  /** Called for each piece of text, in order, in the same turn of the event loop in which it was read. */
  readonly onText: (text: string) => void;
}

/** What is known of an answer once its last byte is here. */
export interface ChatOutcome {
  readonly finishReason: string | null;
  readonly usage: Usage | null;
  /** Name of the model, as the server gives it. */
  readonly model: string | null;
  /** Milliseconds that the server says it computed; null: not reported. */
  readonly inference: number | null;
  /** Milliseconds that connecting took; 0 for a connection that was open already. */
  readonly connect: number;
}

/** What Pilothouse asks of a service API. One file per API implements it. */
export interface ChatApi {
  /** Streams one answer. Rejects with a `PilothouseError`, or with the reason of `signal`. */
  chat(call: ChatCall): Promise<ChatOutcome>;
  /** Names of the models that the server lists. */
  models(address: ApiAddress, signal: AbortSignal): Promise<string[]>;
}
