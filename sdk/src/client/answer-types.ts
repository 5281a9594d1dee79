import type { Observable } from 'rxjs';
import type { AnswerRecord, Chunk, RequestOptions, Timing, Usage } from '../schemas/index.js';
import type { RequestState } from '../states/index.js';
import type { Service } from './service-types.js';
import type { CallOptions, Handle } from './types.js';

/** What any request may be given beside what it asks. Aborting `signal` stops the answer. */
export type ReplyOptions = Omit<RequestOptions, 'maxTokens' | 'temperature' | 'topP' | 'seed' | 'stop'> & {
  readonly signal?: AbortSignal | undefined;
};

/** What a request for text may be given beside what it asks. Aborting `signal` stops the answer. */
export type AskOptions = RequestOptions & { readonly signal?: AbortSignal | undefined };

/** A piece of an answer as the server sent it. */
export type AnswerChunk<D = unknown> = Omit<Chunk, 'data'> & {
  /** What came where that is not text; `text` is empty then. */
  readonly data?: D | undefined;
};

/** What an answer came to. */
export interface AnswerResult {
  readonly text: string;
  /** What came back where that is not text: vectors, tensors, the value of a call. */
  readonly value: unknown;
  readonly usage: Usage | null;
  readonly timing: Timing;
  /** Number of the instance that answered. */
  readonly instance: number | null;
  readonly finishReason: string | null;
  /** Name of the model as the server gives it, and its revision where it says so. */
  readonly model: string | null;
  readonly revision: string | null;
}

/**
 * The answer to one request, while it streams and afterwards. `R` is what it comes to: {@link AnswerResult} for text,
 * the value itself for everything else. `D` is the type of pieces that are not text.
 */
export interface Answer<R = AnswerResult, D = unknown> extends Handle<RequestState, AnswerRecord> {
  readonly kind: 'answer';
  /** Every chunk from the first on, none lost or doubled, also across reconnects. Errors when the answer fails. */
  readonly chunks$: Observable<AnswerChunk<D>>;
  /** All text so far, growing. Errors when the answer fails. */
  readonly text$: Observable<string>;
  /** Text received so far. */
  readonly text: string;
  /** What `result()` resolves with, once it is there. */
  readonly value: R | null;
  /** Milliseconds; null until the end. */
  readonly timing: Timing | null;
  /** null until the end, or where the server does not say. */
  readonly usage: Usage | null;
  /** Number of the instance that answers; null while none has been found. */
  readonly instance: number | null;
  forEach(consume: (chunk: AnswerChunk<D>) => void, options?: CallOptions): Promise<void>;
  [Symbol.asyncIterator](): AsyncIterableIterator<AnswerChunk<D>>;
  /** Rejects when it failed or was stopped. */
  result(options?: CallOptions): Promise<R>;
  /** Stops it at the server too. */
  stop(options?: CallOptions): Promise<void>;
  /** Asks the same again. */
  retry(): Answer<R, D>;
}

/** Which kept answers. */
export interface AnswerSearch extends CallOptions {
  /** Stands in the question or in the answer, in whatever case; default: all. */
  readonly text?: string | undefined;
  /** Only of this service. */
  readonly service?: string | Service | undefined;
  /** Only in one of these states. */
  readonly state?: RequestState | readonly RequestState[] | undefined;
  /** Go on after this many. */
  readonly skip?: number | undefined;
  /** At most so many, up to 200; default 50. */
  readonly limit?: number | undefined;
}

/** `session.answers` */
export interface Answers {
  get(ref: string, options?: CallOptions): Promise<Answer>;
  list(options?: CallOptions & { readonly all?: boolean }): Promise<Answer[]>;
  /**
   * Kept answers whose question or text holds some words, newest first, and how many there are in all.
   *
   * @example
   * ```ts
   * const { answers, total } = await session.answers.search({ text: 'dose', service: 'smollm2', limit: 10 });
   * ```
   */
  search(search?: AnswerSearch): Promise<{ readonly answers: Answer[]; readonly total: number }>;
}
