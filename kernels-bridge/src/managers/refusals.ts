import {
  type ErrorData,
  type JournalRecord,
  PilothouseError,
  serviceStates,
  taskStates,
} from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';

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
  // Two bridges may have given the same number, the overtaken one and its successor: the evidence says whose is meant.
  const record = (await spool.read(pilot)).find(
    ({ seq, epoch }) =>
      seq === refused.spoolSeq && (error.evidence === undefined || error.evidence.includes(`of epoch ${epoch}`)),
  );
  if (record?.type === 'task') {
    const { id } = record.task;
    picture.update('task', id, (task) =>
      taskStates.isFinal(task.state) ? null : { state: 'FAILED', ...ended(task.times, error, t, { task: id }) },
    );
  }
  if (record?.type === 'service') {
    const { id } = record.service;
    picture.update('service', id, (service) =>
      serviceStates.isFinal(service.state)
        ? null
        : { state: 'FAILED', ...ended(service.times, error, t, { service: id }) },
    );
  }
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
