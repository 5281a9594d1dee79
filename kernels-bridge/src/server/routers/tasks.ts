import type { DataManager } from '../../managers/data/data-manager.js';
import type { SetManager } from '../../managers/tasks/set-manager.js';
import type { TaskManager } from '../../managers/tasks/task-manager.js';
import { streamBatches } from '../../streams/stream.js';
import { checkAddition } from '../check-addition.js';
import { os, unchecked } from '../implementer.js';

/** Milliseconds between two batches of rows: ten a second are more than anybody reads. */
const ROWS_MS = 100;

export function tasksRouter(tasks: TaskManager, data: DataManager) {
  return {
    submit: os.tasks.submit.handler(({ input }) => tasks.submit(input.tasks, input.origin)),
    get: os.tasks.get.handler(({ input }) => tasks.get(input.ref)),
    list: os.tasks.list.handler(({ input }) => tasks.list(input.all)),
    explain: os.tasks.explain.handler(({ input }) => tasks.explain(input.ref)),
    log: os.tasks.log.handler(({ input: { ref, ...range } }) => tasks.log(ref, range)),
    files: os.tasks.files.handler(({ input }) => data.files(input.ref)),
    output: os.tasks.output.handler(({ input: { ref, ...piece } }) => data.output(ref, piece)),
    cancelMany: os.tasks.cancelMany.handler(({ input }) => tasks.cancelMany(input.ids)),
    retry: os.tasks.retry.handler(({ input: { ref, ...submission } }) => tasks.retry(ref, submission)),
    rows: os.tasks.rows.handler(({ input, context, signal }) =>
      streamBatches(
        () => tasks.rows(input),
        input,
        context.connection.credits,
        signal ?? new AbortController().signal,
        ROWS_MS,
      ),
    ),
    cancel: os.tasks.cancel.handler(({ input }) => tasks.cancel(input.ref)),
  };
}

export function setsRouter(sets: SetManager) {
  return {
    open: os.sets.open.handler(({ input: { description, ...submission }, context }) =>
      sets.open(description, submission, context.connection),
    ),
    add: unchecked.sets.add.handler(({ input, context }) => sets.add(checkAddition(input), context.connection)),
    get: os.sets.get.handler(({ input }) => sets.get(input.ref)),
    list: os.sets.list.handler(({ input }) => sets.list(input.all)),
    results: os.sets.results.handler(({ input, context, signal }) =>
      streamBatches(
        () => sets.results(input.set, input.from),
        input,
        context.connection.credits,
        signal ?? new AbortController().signal,
        0,
      ),
    ),
    explain: os.sets.explain.handler(({ input }) => sets.explain(input.ref)),
    cancel: os.sets.cancel.handler(({ input }) => sets.cancel(input.ref)),
    retryFailed: os.sets.retryFailed.handler(({ input: { ref, canceled, ...submission } }) =>
      sets.retryFailed(ref, canceled, submission),
    ),
  };
}
