import type { ErrorData, ResolvedTaskDescription } from '@pilothouse/sdk/shared';
import { toSeconds } from '@pilothouse/sdk/shared';
import type { AttemptEnd } from './attempt-owner.js';
import type { Failure } from './retries.js';
import { launcherLost, outOfMemory, taskFailed, timeOver, tookTooLong } from './task-end.js';

/** What the end of an attempt means for its task. */
export type Outcome =
  | { readonly state: 'DONE' }
  | { readonly state: 'CANCELED' }
  /** Cut off by the pilot's end: it goes on in the next one, where it may; what has not run does in any case. */
  | { readonly state: 'CUT_OFF'; readonly ran: boolean; readonly error: ErrorData }
  | { readonly state: 'FAILED'; readonly failure: Failure; readonly error: ErrorData };

/** Reads from how an attempt ended what that means. */
export function outcomeOf(
  { run, cause, failed }: AttemptEnd,
  task: { readonly id: string; readonly name: string; readonly pilot: string },
  description: Pick<ResolvedTaskDescription, 'checkpoint' | 'maxDuration'>,
): Outcome {
  const { id, name, pilot } = task;
  if (cause === 'cancel') return { state: 'CANCELED' };
  if (cause === 'walltime') {
    // With checkpoints, a program that was told to save ends with 0 when it has saved, not when it has finished.
    if (run?.ok && description.checkpoint === undefined) return { state: 'DONE' };
    return { state: 'CUT_OFF', ran: run !== undefined, error: timeOver(id, name, pilot) };
  }
  if (cause === 'duration') {
    const limit = description.maxDuration === undefined ? 0 : toSeconds(description.maxDuration);
    return { state: 'FAILED', failure: { kind: 'timeout' }, error: tookTooLong(id, name, limit) };
  }
  if (failed !== undefined) {
    return { state: 'FAILED', failure: { kind: failed.staging ? 'staging' : 'never' }, error: failed.error };
  }
  if (run === undefined) return { state: 'CANCELED' };
  if (run.oom !== undefined)
    return { state: 'FAILED', failure: { kind: 'oom' }, error: outOfMemory(id, name, run.oom) };
  if (run.ok) return { state: 'DONE' };
  switch (run.kind) {
    case 'lost':
      return { state: 'FAILED', failure: { kind: 'lost' }, error: run.error ?? launcherLost(name, id).toJSON() };
    case 'start':
      return { state: 'FAILED', failure: { kind: 'never' }, error: run.error ?? taskFailed(id, name, run, '') };
    case 'signal':
      return {
        state: 'FAILED',
        failure: { kind: 'signal' },
        error: run.error ?? taskFailed(id, name, run, run.stderrTail ?? ''),
      };
    default:
      return {
        state: 'FAILED',
        failure: { kind: 'exit', exitCode: run.exitCode },
        error: run.error ?? taskFailed(id, name, run, run.stderrTail ?? ''),
      };
  }
}
