import type { TaskRows } from '../../schemas/index.js';
import { creditStream } from '../streams/credit-stream.js';
import type { Core } from './core.js';

/** Rows are large and conflated at the other end: few may wait. */
const WINDOW = 4;

/** Tasks as rows, live; after a lost connection it begins anew, with `reset`. */
export function readRows(
  { connector }: Pick<Core, 'connector'>,
  filter: { readonly set?: string | undefined; readonly pilot?: string | undefined },
  signal: AbortSignal,
): AsyncGenerator<TaskRows, void, void> {
  return creditStream<TaskRows>(
    connector,
    (api, flow, abort) => api.tasks.rows({ ...filter, ...flow }, { signal: abort }),
    { signal, finished: () => false, window: WINDOW },
  );
}
