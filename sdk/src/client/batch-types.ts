import type { Observable } from 'rxjs';
import type { BatchDescription, BatchProgress, BatchRecord, BatchRow } from '../schemas/index.js';
import type { BatchState } from '../states/index.js';
import type { AskOptions } from './answer-types.js';
import type { Many } from './task-types.js';
import type { CallOptions, Handle, Pilot } from './types.js';

/**
 * How a batch is done: what a request may be given (`maxTokens`, `temperature`, `timeout` of each request …), and where
 * its rows go. Aborting `signal` ends the sending of a list, never the batch.
 */
export type BatchOptions = AskOptions &
  Pick<BatchDescription, 'name' | 'out' | 'key' | 'op' | 'method' | 'onError' | 'tries' | 'concurrency'> & {
    /** Where it runs, for an attached service; default: one that is active. */
    readonly pilot?: string | Pilot | undefined;
  };

/** What is asked: the path of a file beside the notebook (JSON Lines, or `.txt` with a prompt a line), or the inputs. */
export type MapInput = string | Many<unknown>;

/** Which rows of a batch. */
export interface RowOptions extends CallOptions {
  /** Go on after this many; default 0. */
  readonly from?: number | undefined;
  /** At most so many, up to 5,000; default 500. */
  readonly limit?: number | undefined;
}

/** Rows of a batch, in the order in which they came out. */
export interface RowPage {
  readonly rows: readonly BatchRow[];
  /** Where the next ones begin. */
  readonly next: number;
  /** Nothing comes after these. */
  readonly complete: boolean;
}

/** Many requests to one service as one thing; it runs beside the instances and needs neither kernel nor session. */
export interface Batch extends Handle<BatchState, BatchRecord> {
  readonly kind: 'batch';
  /** How far it is: rows answered, failed and under way, rate, when it will be done. */
  readonly progress: BatchProgress;
  /** Absolute path of the file of rows. */
  readonly out: string;
  /** Every row from the first on, as it comes out, none lost or doubled; completes at the end, whatever that is. */
  readonly rows$: Observable<BatchRow>;
  /** Some of the rows that have come out. */
  rows(options?: RowOptions): Promise<RowPage>;
  /**
   * All rows, once they are there: those whose keys are numbers (lines of a list) in the order of their keys, others as
   * they came out. Rejects when the batch or a row of it failed; with `settled` failed rows are among the others.
   *
   * @example
   * ```ts
   * const batch = await llm.map(['Name a gene.', 'Name a protein.'], { maxTokens: 20 });
   * for (const row of await batch.results()) console.log(row.text);
   * ```
   */
  results(options?: CallOptions & { readonly settled?: boolean | undefined }): Promise<BatchRow[]>;
  /** Ends it; rows that have come out stay, and the same call again does the rest. */
  cancel(options?: CallOptions): Promise<void>;
}

/** `session.batches` */
export interface Batches {
  /** Starts a batch from its whole description; see {@link Service.map} for the short way. */
  start(description: BatchDescription, options?: CallOptions): Promise<Batch>;
  get(ref: string, options?: CallOptions): Promise<Batch>;
  list(options?: CallOptions & { readonly all?: boolean }): Promise<Batch[]>;
}
