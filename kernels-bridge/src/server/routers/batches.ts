import { PilothouseError } from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import { findRef } from '../../managers/refs.js';
import { os } from '../implementer.js';

export function batchesRouter({ picture, names }: Context) {
  const find = (ref: string) => findRef(picture, names, 'batch', ref);
  const refuse = (): never => {
    throw new PilothouseError('UNKNOWN_METHOD', 'batches cannot be started here');
  };
  return {
    upload: os.batches.upload.handler(refuse),
    start: os.batches.start.handler(refuse),
    get: os.batches.get.handler(({ input }) => find(input.ref)),
    list: os.batches.list.handler(({ input }) =>
      [...picture.list('batch')].filter(({ endedAt }) => input.all || endedAt === null),
    ),
    explain: os.batches.explain.handler(({ input }) => {
      const { reason, state } = find(input.ref);
      return { text: reason?.text ?? `it is ${state}`, evidence: [] };
    }),
    rows: os.batches.rows.handler(refuse),
    cancel: os.batches.cancel.handler(({ input }) => find(input.ref)),
  };
}
