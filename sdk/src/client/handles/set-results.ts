import { type ErrorCode, PilothouseError, RemoteError, toErrorData } from '../../errors/index.js';
import type { TaskOutcome } from '../../schemas/index.js';
import { creditStream } from '../streams/credit-stream.js';
import type { SetResult } from '../types.js';
import type { Core } from './core.js';

/** The value of a task that is DONE. */
export type DecodeOutcome<V> = (outcome: TaskOutcome) => V | Promise<V>;

interface Outcomes {
  readonly outcomes: TaskOutcome[];
  readonly next: number;
  readonly complete: boolean;
}

/** Every outcome of a set from place `from` in the order of completion on, once each, across lost connections. */
export async function* readOutcomes(
  core: Pick<Core, 'connector'>,
  set: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<readonly TaskOutcome[], void, void> {
  let next = from;
  let complete = false;
  const batches = creditStream<Outcomes>(
    core.connector,
    (api, flow, abort) => api.sets.results({ set, from: next, ...flow }, { signal: abort }),
    { signal, finished: () => complete },
  );
  for await (const batch of batches) {
    const first = batch.next - batch.outcomes.length;
    if (first > next) {
      throw new PilothouseError('INTERNAL', `Results of ${set} go on at ${first}, but ${next} was to come.`, {
        hint: 'Read them again with resultsFrom(); please report this.',
        ids: { set },
      });
    }
    const fresh = batch.outcomes.slice(next - first);
    next = Math.max(next, batch.next);
    complete = batch.complete;
    if (fresh.length > 0) yield fresh;
  }
}

/** An outcome as users get it. Never throws: a value that cannot be read is the result's error. */
export function toResult<V>(outcome: TaskOutcome, decode: DecodeOutcome<V>): SetResult<V> | Promise<SetResult<V>> {
  const { index, id, name, number, attempt, exitCode, stderrTail, usage } = outcome;
  const state = finalState(outcome);
  const result = { index, id, name, number, state, attempt, exitCode, stderrTail, usage };
  if (state !== 'DONE') return { ...result, error: outcomeError(outcome), value: undefined };
  const unreadable = (error: unknown) => {
    const { code, message, ...rest } = toErrorData(error);
    const ids = { ...rest.ids, task: id };
    return { ...result, error: new PilothouseError(code, message, { ...rest, ids, cause: error }), value: undefined };
  };
  try {
    const value = decode(outcome);
    if (value instanceof Promise) return value.then((known) => ({ ...result, error: null, value: known }), unreadable);
    return { ...result, error: null, value };
  } catch (error) {
    return unreadable(error);
  }
}

/** Why a task of a set is not DONE. */
export function outcomeError(
  outcome: Pick<TaskOutcome, 'id' | 'name' | 'state' | 'error' | 'exception' | 'stderrTail'>,
) {
  const { id, name, state, error, exception, stderrTail } = outcome;
  const cause = exception === null ? undefined : new RemoteError(exception);
  const ids = { ...error?.ids, task: id };
  if (error) return PilothouseError.from({ ...error, ids }, cause);
  const code: ErrorCode = cause ? 'FUNCTION_RAISED' : state === 'CANCELED' ? 'TASK_CANCELED' : 'TASK_FAILED';
  const what = cause ? `raised ${cause.type}: ${cause.message}` : state === 'CANCELED' ? 'was canceled.' : 'failed.';
  return new PilothouseError(code, `Task ${name} ${what}`, {
    ids,
    evidence: exception?.traceback ?? stderrTail ?? undefined,
    cause,
  });
}

function finalState({ id, state }: TaskOutcome): 'DONE' | 'FAILED' | 'CANCELED' {
  if (state === 'DONE' || state === 'FAILED' || state === 'CANCELED') return state;
  throw new PilothouseError('INTERNAL', `Task ${id} was reported as ended, in state ${state}.`, { ids: { task: id } });
}
