import type { PilotFile } from '@pilothouse/sdk/shared';
import type { Journal } from './journal/journal.js';
import type { Past } from './journal/replay.js';
import type { WardenClient } from './launcher/warden-client.js';
import type { Output } from './output/output.js';
import type { Scheduler } from './scheduler/scheduler.js';

/** What others may use of a class: its private fields do not count, so that something else can take its place. */
export type Public<T> = Pick<T, keyof T>;

/** What tasks and services of one pilot share. */
export interface NodeContext {
  readonly pilot: PilotFile;
  readonly past: Past;
  readonly journal: Public<Journal>;
  readonly warden: Public<WardenClient>;
  readonly scheduler: Scheduler;
  readonly output: Public<Output>;
}

/** Seconds between TERM and KILL. */
export const GRACE_SECONDS = 5;
