import type { ErrorData, SpooledTask, StagingReport, TaskState } from '@pilothouse/sdk/shared';
import type { RunEnd } from './runner.js';
import type { TaskDetails } from './task-host.js';
import type { Submission } from './work.js';

/** Why an attempt was ended from outside. */
export type Cause = 'cancel' | 'duration' | 'walltime';

/** What an attempt came to. */
export interface AttemptEnd {
  /** How its process or call ended; undefined: it never started. */
  readonly run: RunEnd | undefined;
  readonly cause: Cause | undefined;
  readonly staging: readonly StagingReport[] | undefined;
  /** Its data could not be brought in or out, or it could not be prepared. */
  readonly failed: { readonly staging: boolean; readonly error: ErrorData } | undefined;
}

/** The task that an attempt is one of. */
export interface AttemptOwner {
  readonly id: string;
  readonly name: string;
  readonly submission: Submission;
  readonly spooled: SpooledTask;
  readonly state: TaskState;
  enter(state: TaskState, details?: TaskDetails): void;
  /** Enters all states on the way to this one. */
  advance(state: 'LAUNCHING' | 'RUNNING', details?: TaskDetails): void;
  running(change: 1 | -1): void;
  attemptOver(end: AttemptEnd): void;
}
