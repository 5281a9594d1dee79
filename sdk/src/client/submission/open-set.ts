import { PilothouseError } from '../../errors/index.js';
import type { TaskEntry, TaskSetDescription } from '../../schemas/index.js';
import { withDeadline } from '../deadline.js';
import { decodeError } from '../decode-error.js';
import type { Core } from '../handles/core.js';
import type { DecodeOutcome } from '../handles/set-results.js';
import { TaskSetHandle } from '../handles/task-set-handle.js';
import type { CallOptions, Many } from '../types.js';
import { Adder } from './adder.js';

/** Opens a set that tasks can be added to. */
export async function openSet<V>(
  core: Core,
  description: TaskSetDescription,
  decode: DecodeOutcome<V>,
  options?: CallOptions,
): Promise<TaskSetHandle<V>> {
  const submission = core.caller.submission();
  const record = await core.caller.call(`opening task set ${description.name ?? ''}`.trim(), options, (api, signal) =>
    api.sets.open({ description, ...submission }, { signal }),
  );
  return new TaskSetHandle(core, core.store.sets.put(record), decode);
}

/** Opens a set, adds all tasks, and closes it. */
export function submitSet<V>(
  core: Core,
  description: TaskSetDescription,
  source: Many<TaskEntry>,
  decode: DecodeOutcome<V>,
  options?: CallOptions,
): Promise<TaskSetHandle<V>> {
  const what = description.name === undefined ? 'submitting tasks' : `submitting task set ${description.name}`;
  return withDeadline(what, options, null, async (signal) => {
    const set = await openSet(core, description, decode, { signal });
    const adder = new Adder(core.caller, set, 0, signal);
    try {
      await adder.addAll(source, true);
    } catch (error) {
      throw await abandon(core, set, adder.taken, decodeError(error));
    }
    await set.refresh({ signal });
    return set;
  });
}

/**
 * Submission broke off: nobody gets a handle of the set. It takes no more tasks; those it has run on, for work is never
 * ended unasked. One without any is taken off the lists.
 */
async function abandon(
  { caller }: Core,
  set: { readonly id: string; readonly name: string },
  taken: number,
  error: PilothouseError,
): Promise<PilothouseError> {
  const ids = { ...error.ids, set: set.id };
  try {
    await caller.call(`closing task set ${set.name}`, { timeout: '5s' }, async (api, signal) => {
      await api.sets.add({ set: set.id, from: taken, tasks: [], close: true }, { signal });
      if (taken === 0) await api.system.forget({ kind: 'set', id: set.id }, { signal });
    });
  } catch {
    // What broke the submission most likely breaks this too, and is what the caller must hear of.
  }
  if (taken === 0) return new PilothouseError(error.code, error.message, { ...error.toJSON(), ids, cause: error });
  const rest = `${taken} tasks of ${set.name} had been taken before and run on; with resume: true, what of them is DONE is not run again.`;
  const hint = error.hint === undefined ? rest : `${error.hint} ${rest}`;
  return new PilothouseError(error.code, error.message, { ...error.toJSON(), hint, ids, cause: error });
}
