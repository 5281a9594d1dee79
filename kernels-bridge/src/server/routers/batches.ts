import type { BatchManager } from '../../managers/batches/batch-manager.js';
import { os } from '../implementer.js';

export function batchesRouter(batches: BatchManager) {
  return {
    upload: os.batches.upload.handler(async ({ input: { upload, from, rows } }) => ({
      total: await batches.upload(upload, from, rows),
    })),
    start: os.batches.start.handler(({ input: { description, ...submission } }) =>
      batches.start(description, submission),
    ),
    get: os.batches.get.handler(({ input }) => batches.get(input.ref)),
    list: os.batches.list.handler(({ input }) => batches.list(input.all)),
    explain: os.batches.explain.handler(({ input }) => batches.explain(input.ref)),
    rows: os.batches.rows.handler(({ input: { ref, from, limit } }) => batches.rows(ref, from, limit)),
    cancel: os.batches.cancel.handler(({ input }) => batches.cancel(input.ref)),
  };
}
