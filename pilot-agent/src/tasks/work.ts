import type { ResolvedTaskDescription, ResolvedTaskEntry } from '@pilothouse/sdk/shared';
import type { Demand, Grant } from '../scheduler/demand.js';

/** What tasks that were submitted together share. One object for all of them, so that others may key by it. */
export interface Submission {
  /** Id of their set. */
  readonly set: string | null;
  readonly template: Readonly<ResolvedTaskEntry>;
  /** PATH and friends of the caller. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute folder of the caller. */
  readonly cwd: string;
}

/** One attempt of a task that is ready to start: nothing is left to wait for but resources. */
export interface Work {
  /** Id of the task. */
  readonly id: string;
  readonly name: string;
  /** 1, 2, 3 … */
  readonly attempt: number;
  /** `<id>:<attempt>`; never used a second time. */
  readonly runId: string;
  /** Template and entry with all defaults. */
  readonly description: ResolvedTaskDescription;
  readonly submission: Submission;
  /** Absolute working directory. */
  readonly cwd: string;
  /** What it needs; more memory than it says where it ran out of it before. */
  readonly demand: Demand;
  /**
   * The whole environment but `own`: caller's variables, the description's, thread counts. The same object for tasks that
   * differ in nothing of it.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Variables of this attempt alone: its ids, its GPUs, addresses of its services. */
  readonly own: Readonly<Record<string, string>>;
  /** What it was granted; undefined for a runner that asks by itself. */
  readonly grant: Grant | undefined;
}
