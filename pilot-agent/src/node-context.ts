import type { PilotFile } from '@pilothouse/sdk/shared';
import type { Journal } from './journal/journal.js';
import type { Past } from './journal/replay.js';
import type { WardenClient } from './launcher/warden-client.js';
import type { Output } from './output/output.js';
import type { Scheduler } from './scheduler/scheduler.js';

/** What tasks and services of one pilot share. */
export interface NodeContext {
  readonly pilot: PilotFile;
  readonly past: Past;
  readonly journal: Journal;
  readonly warden: WardenClient;
  readonly scheduler: Scheduler;
  readonly output: Output;
}

/** Seconds between TERM and KILL. */
export const GRACE_SECONDS = 5;
