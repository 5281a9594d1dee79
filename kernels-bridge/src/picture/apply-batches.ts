import { type BatchRecord, batchStates, type JournalRecord } from '@pilothouse/sdk/internal';
import type { Picture } from './picture.js';
import { isUnstarted } from './settle.js';

type Journaled = Extract<JournalRecord, { type: 'batch' }>;

/** What an agent says about a batch; null where that is old. */
export function batchChange(batch: BatchRecord, record: Journaled): Partial<BatchRecord> | null {
  if (batchStates.isFinal(batch.state) || !batchStates.canReach(batch.state, record.state)) return null;
  const moved = batch.state !== record.state;
  const final = batchStates.isFinal(record.state);
  return {
    state: record.state,
    since: moved ? record.t : batch.since,
    reason: record.reason === undefined ? (moved ? null : batch.reason) : record.reason,
    times: moved ? { ...batch.times, [record.state]: record.t } : batch.times,
    progress: record.progress ?? batch.progress,
    failures: record.failures ?? batch.failures,
    error: record.error ?? batch.error,
    endedAt: final ? record.t : null,
  };
}

/** A batch that somebody cancels: at once where no agent has it yet. */
export function cancelBatch(picture: Picture, batch: BatchRecord, t: string): Partial<BatchRecord> | null {
  if (batchStates.isFinal(batch.state)) return null;
  if (!isUnstarted(picture, batch.pilot)) {
    return { reason: { code: 'CANCELING', text: 'asked to stop', since: t } };
  }
  return {
    state: 'CANCELED',
    since: t,
    reason: null,
    times: { ...batch.times, CANCELED: t },
    endedAt: t,
  };
}
