import { endsWithBatch } from '../format/batch.js';
import type { ActionContext, Args } from './context.js';

export async function cancelBatch(context: ActionContext, args: Args): Promise<void> {
  const { session, trans } = context.pilothouse;
  const id = await context.argument('batch', args);
  if (id === null) return;
  const batch = await session.batches.get(id);
  try {
    const sure = await context.confirm(
      trans.__('Cancel batch %1?', batch.name),
      endsWithBatch(batch.record, trans),
      trans.__('Cancel batch'),
    );
    if (sure) await batch.cancel();
  } finally {
    batch.close();
  }
}
