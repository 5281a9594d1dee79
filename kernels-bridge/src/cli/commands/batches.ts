import { type BatchRecord, formatSeconds, rowsSentence, shortId, whySentence } from '@pilothouse/sdk/internal';
import type { Batch } from '@pilothouse/sdk/node';
import { type Command, EXIT } from '../command.js';
import { batchTable } from '../rows.js';
import { withSession } from '../session.js';

/** Batches of requests: listed, looked at, canceled. They are started from notebooks and scripts, with `service.map`. */
export const batches: Command = {
  name: 'batches',
  usage: 'batches [list] [--all] | batches show <batch> [--wait] | batches cancel <batch>',
  summary: 'Your batches of requests; --wait waits for the end of one, and fails where it or a row of it failed',
  options: { all: { type: 'boolean', short: 'a' }, wait: { type: 'boolean', short: 'w' } },
  words: [0, 2],
  async run(context, { positionals: [verb = 'list', ref], values }) {
    if (verb === 'list' && ref === undefined) {
      const found = await withSession((session) => session.batches.list({ all: values.all === true }));
      const records = found.map(({ record }) => record);
      context.result(records, () => batchTable(records));
      return EXIT.ok;
    }
    if (ref === undefined || (verb !== 'show' && verb !== 'cancel')) {
      context.note(`Write: pilothouse ${this.usage}`);
      return EXIT.usage;
    }
    return withSession(async (session) => {
      const batch = await session.batches.get(ref);
      if (verb === 'cancel') {
        await batch.cancel();
        context.result(batch.record, () => `${batch.name} is being canceled. What has come out stays in ${batch.out}`);
        return EXIT.ok;
      }
      if (values.wait === true) await batch.done();
      const why = await explain(batch);
      context.result(batch.record, () => page(batch.record, why));
      const { state, progress } = batch.record;
      return values.wait === true && (state !== 'DONE' || progress.failed > 0) ? EXIT.failed : EXIT.ok;
    });
  },
};

async function explain(batch: Batch): Promise<string | null> {
  return batch.record.endedAt === null ? batch.explain() : whySentence(batch.record);
}

/** All about one batch, line by line. */
function page(batch: BatchRecord, why: string | null): string {
  const { rate, eta } = batch.progress;
  const left = eta === null ? null : `about ${formatSeconds((Date.parse(eta) - Date.now()) / 1000)} left`;
  const speed = rate === null ? null : `${rate.toFixed(1)} rows/s`;
  const lines = [
    `${batch.name} (${shortId(batch.id)}): ${batch.state}, asks ${batch.service.name}`,
    rowsSentence(batch),
    [speed, left].filter((text) => text !== null).join(', '),
    why ?? '',
    `Rows: ${batch.out}`,
    ...batch.failures.map(({ key, code, message }) => `  failed: ${key}: ${message} (${code})`),
  ];
  return lines.filter((line) => line !== '').join('\n');
}
