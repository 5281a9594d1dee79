import { type ErrorCode, PilothouseError } from '../../errors/index.js';
import type { AnyRecord } from '../../schemas/index.js';

/** The code of a thing that ended in each state; null where that is how it should end. */
const codes: { readonly [K in AnyRecord['kind']]: { readonly [state: string]: ErrorCode } } = {
  pilot: { DONE: 'PILOT_ENDED', FAILED: 'PILOT_FAILED', CANCELED: 'PILOT_ENDED' },
  task: { DONE: 'TASK_FAILED', FAILED: 'TASK_FAILED', CANCELED: 'TASK_CANCELED' },
  set: { DONE: 'TASK_FAILED', FAILED: 'TASK_FAILED', CANCELED: 'TASK_CANCELED' },
  service: { STOPPED: 'SERVICE_STOPPED', FAILED: 'SERVICE_FAILED', STOPPING: 'SERVICE_STOPPED' },
  answer: { DONE: 'BACKEND_FAILED', FAILED: 'BACKEND_FAILED', CANCELED: 'ANSWER_STOPPED' },
  batch: { DONE: 'BATCH_FAILED', FAILED: 'BATCH_FAILED', CANCELED: 'BATCH_CANCELED' },
};

const verbs: Readonly<Record<string, string>> = {
  DONE: 'has ended',
  FAILED: 'failed',
  CANCELED: 'was canceled',
  STOPPED: 'was stopped',
  STOPPING: 'is being stopped',
};

/**
 * The error of whoever waits for something that can no longer come: what ended, why, and what to do. The error that the
 * thing itself carries is its cause.
 */
export function goneError(record: AnyRecord, consequence?: string): PilothouseError {
  const cause = record.error === null ? undefined : PilothouseError.from(record.error);
  const code = codes[record.kind][record.state] ?? 'INTERNAL';
  // What the thing reports of itself is more exact than that it failed, for answers above all.
  if (cause && (cause.code === code || (record.kind === 'answer' && consequence === undefined))) return cause;
  const why = cause?.message ?? record.reason?.text;
  const kind = record.kind === 'set' ? 'task set' : record.kind;
  const what = `${kind} ${record.name} ${verbs[record.state] ?? `is ${record.state}`}`;
  return new PilothouseError(code, `${what}${consequence ? ` and ${consequence}` : ''}${why ? `: ${why}` : '.'}`, {
    hint: cause?.hint,
    ids: { ...cause?.ids, [record.kind]: record.id },
    evidence: cause?.evidence ?? record.reason?.evidence,
    cause,
  });
}
