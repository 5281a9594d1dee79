import type { JournalRecord } from '@pilothouse/sdk/internal';
import { batchChange } from './apply-batches.js';
import { instanceFacts, serviceFacts } from './apply-services.js';
import type { Picture } from './picture.js';
import { enterPilotState } from './settle.js';

type Of<T extends JournalRecord['type']> = Extract<JournalRecord, { type: T }>;

/**
 * Lets a record of an agent's journal take effect on the picture. Fields that the record does not have keep their value;
 * a state that cannot come after the present one is an old record read again and is passed over.
 */
export function applyJournal(picture: Picture, pilot: string, record: JournalRecord): void {
  switch (record.type) {
    case 'pilot':
      enterPilotState(picture, pilot, record.state, record.t, {
        reason: record.reason,
        error: record.error,
        node: record.node,
        startedAt: record.startedAt,
        endsAt: record.endsAt,
        suspended: record.suspended,
        idle: record.idle,
        efficiency: record.efficiency,
        gateway: record.gateway,
      });
      return;
    case 'task':
      applyTask(picture, pilot, record);
      return;
    case 'claimed':
      for (const id of record.tasks) claim(picture, pilot, record.offer, id);
      return;
    case 'instance':
      picture.update('service', record.service, (service) => instanceFacts(service, record));
      return;
    case 'service':
      picture.update('service', record.id, (service) => serviceFacts(service, record));
      return;
    case 'batch':
      picture.update('batch', record.id, (batch) => batchChange(batch, record));
      return;
    case 'refused':
      // Says that a spool record could not be used; what it was about is told by the records that follow from it.
      return;
  }
}

/** A task is where it was placed last: what an agent says that had it before, or never, is old. */
function applyTask({ tasks }: Picture, pilot: string, record: Of<'task'>): void {
  const slot = tasks.find(record.id);
  if (slot === undefined || tasks.pilotOf(slot) !== pilot) return;
  const taken = tasks.apply(slot, record, Date.parse(record.t), pilot);
  if (taken && record.state === 'WAITING' && RETURNS.has(record.reason?.code ?? '')) tasks.onReturn(slot);
}

/** Reasons by which an agent says that a task will not run with it any more. */
export const RETURNS: ReadonlySet<string> = new Set(['WALLTIME_OVER', 'GIVEN_BACK']);

function claim({ tasks }: Picture, pilot: string, offer: string, id: string): void {
  const slot = tasks.find(id);
  if (slot !== undefined && tasks.pilotOf(slot) === null && tasks.offerOf(slot)?.id === offer) tasks.bind(slot, pilot);
}
