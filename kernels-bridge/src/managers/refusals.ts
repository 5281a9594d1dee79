import {
  batchStates,
  type ErrorData,
  type JournalRecord,
  PilothouseError,
  serviceStates,
} from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import { batchIn, type SpoolWriter, tasksIn, type Written } from '../spool/spool-writer.js';

/** An agent could not use a spool record at all. */
export type Refused = Extract<JournalRecord, { type: 'refused' }>;

/**
 * Ends what an agent refused: the journal names the spool record, the record names the thing. Without this it would wait
 * for ever, and nobody could say why.
 */
export async function settleRefusal(
  { spool, picture, log }: Pick<Context, 'spool' | 'picture' | 'log'>,
  pilot: string,
  refused: Refused,
): Promise<void> {
  const { error, t } = refused;
  log.error(`${pilot} refused record ${refused.spoolSeq} of its spool`, PilothouseError.from(error));
  const record = await findRecord(spool, pilot, refused);
  const { tasks } = picture;
  for (const id of record === undefined ? [] : tasksIn(record)) {
    const slot = tasks.find(id);
    // What is on offer may still be taken by another pilot.
    if (slot === undefined || tasks.pilotOf(slot) !== pilot) continue;
    tasks.apply(slot, { state: 'FAILED', error: { ...error, ids: { ...error.ids, task: id } } }, Date.parse(t), pilot);
  }
  const batch = record === undefined ? undefined : batchIn(record);
  if (batch !== undefined) {
    picture.update('batch', batch, ({ state, times }) =>
      batchStates.isFinal(state) ? null : { state: 'FAILED', ...ended(times, error, t, { batch }) },
    );
  }
  if (record?.type === 'service' && typeof record.service === 'object') {
    const { id } = record.service;
    picture.update('service', id, (service) =>
      serviceStates.isFinal(service.state)
        ? null
        : { state: 'FAILED', ...ended(service.times, error, t, { service: id }) },
    );
  }
}

/** Two bridges may have given the same number, the overtaken one and its successor: the evidence says whose is meant. */
async function findRecord(
  spool: SpoolWriter,
  pilot: string,
  { spoolSeq, error }: Refused,
): Promise<Written | undefined> {
  for await (const record of spool.read(pilot)) {
    if (record.seq !== spoolSeq) continue;
    if (error.evidence === undefined || error.evidence.includes(`of epoch ${record.epoch}`)) return record;
  }
  return undefined;
}

function ended(times: Readonly<Record<string, string>>, error: ErrorData, t: string, ids: Record<string, string>) {
  return {
    since: t,
    reason: null,
    error: { ...error, ids: { ...error.ids, ...ids } },
    times: { ...times, FAILED: t },
    endedAt: t,
  };
}
