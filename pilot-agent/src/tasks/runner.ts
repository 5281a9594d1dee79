import type {
  ErrorData,
  OutputRange,
  Payload,
  Placement,
  Reason,
  RemoteException,
  TaskUsage,
} from '@pilothouse/sdk/shared';
import type { EndSignal } from '../launcher/warden-client.js';
import type { Work } from './work.js';

/**
 * What made an attempt end: retry policies tell these apart. `lost`: nobody knows how it ended, which is no fault of its
 * own and uses no retry up.
 */
export type EndKind = 'exit' | 'signal' | 'exception' | 'start' | 'lost';

/** How an attempt ended. Everything that belonged to it is gone. */
export interface RunEnd {
  /** It did what it should: exit code 0, or a function that returned. */
  readonly ok: boolean;
  readonly kind: EndKind;
  readonly exitCode?: number;
  /** Name of the signal that ended it. */
  readonly signal?: string;
  readonly stderrTail?: string;
  /** Where its output lies in the pilot's folder. */
  readonly output?: OutputRange;
  readonly usage?: TaskUsage;
  /** What a function gave back. */
  readonly value?: Payload;
  readonly exception?: RemoteException;
  /** Its memory ran out; both in bytes. */
  readonly oom?: { readonly peak: number; readonly limit: number };
  /** What went wrong, unless the task can say it from the rest. */
  readonly error?: ErrorData;
}

/** Hears what becomes of one attempt: `started` and `gone` at most once, `ended` exactly once. */
export interface RunWatcher {
  /** It waits for something that only the runner knows of, such as a free worker. */
  waits(reason: Omit<Reason, 'since'>): void;
  started(pid: number | undefined, placement?: Placement): void;
  /** Its processes are gone: what it was granted may go to others. `ended` follows when its output is kept. */
  gone(): void;
  ended(end: RunEnd): void;
}

/** Starts one kind of work: commands as processes of their own, functions in warm workers. */
export interface Runner {
  /**
   * Whether it asks the scheduler by itself. Otherwise the task does, and `work.grant` is what it got; the task gives it
   * back when the attempt has ended.
   */
  readonly asksItself: boolean;
  /** Takes an attempt on; never throws: what cannot be started has `ended`. */
  start(work: Work, watcher: RunWatcher): void;
  /**
   * Goes on with an attempt that an earlier agent has started.
   *
   * @returns false when it knows nothing of it
   */
  adopt(runId: string, watcher: RunWatcher): boolean;
  /** Ends an attempt wherever it is: the signal, and KILL after the grace in seconds. `ended` follows. */
  end(runId: string, grace: number, signal?: EndSignal): void;
  /** Its end is in the journal; what was kept for a restarted agent may be forgotten. */
  acknowledge(runId: string): void;
  /** Why an attempt that was taken on has not started; undefined: nothing is known. */
  explain(runId: string): { readonly text: string; readonly evidence: readonly string[] } | undefined;
}
