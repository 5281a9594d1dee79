import type { FileChunk, ResolvedTaskDescription, StagingReport, TaskFile } from '@pilothouse/sdk/shared';

/** The data of one attempt, on its way in or out. */
export interface StageOrder {
  /** Id of the task. */
  readonly id: string;
  readonly attempt: number;
  readonly directives: ResolvedTaskDescription['stageIn'];
  /** Absolute folder of the caller. */
  readonly from: string;
  /** Absolute working directory of the task. */
  readonly cwd: string;
  /** PATH and friends of the caller, for programs such as rsync. */
  readonly env: Readonly<Record<string, string>>;
  /** Aborted when the task is canceled or its time is over: leave nothing half done under a final name. */
  readonly signal: AbortSignal;
  /** How far all directives of this order are; called as often as something worth telling changes. */
  report(reports: readonly StagingReport[]): void;
}

/**
 * Moves data before and after a task runs. Both resolve when everything is where it should be, with the last reports, and
 * may be called again for the same attempt after a restart of the agent.
 *
 * @throws PilothouseError DATA_NOT_FOUND, STAGING_FAILED, CHECKSUM_MISMATCH or DISK_FULL; the last reports went to `report`
 */
export interface Stages {
  stageIn(order: StageOrder): Promise<readonly StagingReport[]>;
  stageOut(order: StageOrder): Promise<readonly StagingReport[]>;
}

/** Looks into the working directory of a task, for people and programs elsewhere. */
export interface TaskFolders {
  /** Files that a task has left, relative to its working directory. */
  files(cwd: string): Promise<readonly TaskFile[]>;
  /** A piece of one of them. @throws PilothouseError UNSAFE_PATH, DATA_NOT_FOUND */
  chunk(cwd: string, path: string, offset: number, limit: number): Promise<FileChunk>;
}
