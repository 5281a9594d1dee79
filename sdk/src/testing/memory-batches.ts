import { z } from 'zod';
import type { BridgeApi } from '../client/api.js';
import { isFinal } from '../client/picture/final.js';
import { PilothouseError } from '../errors/index.js';
import {
  type BatchRecord,
  type BatchRow,
  batchDescriptionSchema,
  type Message,
  type ResolvedBatchDescription,
} from '../schemas/index.js';
import type { MemoryBridge } from './memory-bridge.js';
import { explain } from './memory-words.js';
import { parse } from './parse.js';
import { testBatch } from './records.js';
import type { Script } from './script.js';

/** The calls `batches.*` over a {@link MemoryBridge}: rows are answered one after the other as the script says. */
export function memoryBatches(bridge: MemoryBridge, script: Script): BridgeApi['batches'] {
  const uploads = new Map<string, unknown[]>();
  const rows = new Map<string, BatchRow[]>();

  /** Never rejects: what goes wrong with a row stands in the row. */
  const run = async (id: string, description: ResolvedBatchDescription, inputs: readonly unknown[]) => {
    bridge.move(id, 'RUNNING');
    const out = rows.get(id) ?? [];
    rows.set(id, out);
    for (const [index, input] of inputs.entries()) {
      const row = await answerRow(script, description, input, index);
      const batch = bridge.find('batch', id);
      if (isFinal(batch)) return;
      out.push(row);
      const { progress } = batch;
      const counted = row.error
        ? { ...progress, failed: progress.failed + 1 }
        : { ...progress, done: progress.done + 1 };
      const failures = row.error
        ? [{ key: String(row.key), ...row.error }, ...batch.failures].slice(0, 5)
        : batch.failures;
      bridge.put({ ...batch, progress: counted, failures });
      if (row.error && description.onError === 'stop') {
        const error = new PilothouseError('BATCH_FAILED', `Row ${row.key} failed: ${row.error.message}`);
        bridge.move(id, 'FAILED', { error: error.toJSON() });
        return;
      }
    }
    bridge.move(id, 'DONE');
  };

  return {
    upload: async ({ upload, from, rows: more }) => {
      const known = uploads.get(upload) ?? [];
      known.push(...more.slice(Math.max(0, known.length - from)));
      uploads.set(upload, known);
      return { total: known.length };
    },
    start: async ({ description, origin, key }) => {
      const resolved = parse(batchDescriptionSchema, description);
      const service = bridge.find('service', resolved.service);
      const inputs = inputsOf(resolved, uploads, script);
      let fresh = false;
      const { id } = bridge.once(key, (): BatchRecord => {
        fresh = true;
        const made = testBatch({
          state: 'NEW',
          service: { id: service.id, name: service.name },
          pilot: service.pilot,
          description: resolved,
          owner: origin.name,
        });
        const name = resolved.name ?? made.name;
        return {
          ...made,
          name,
          out: resolved.out ?? `/test/${name}.jsonl`,
          progress: { ...made.progress, total: inputs.length },
        };
      });
      if (fresh) void run(id, resolved, inputs);
      return bridge.find('batch', id);
    },
    get: async ({ ref }) => bridge.find('batch', ref),
    list: async (input) => bridge.list('batch', input?.all ?? false),
    explain: async ({ ref }) => explain(bridge.find('batch', ref)),
    rows: async ({ ref, from = 0, limit = 500 }) => {
      const batch = bridge.find('batch', ref);
      const out = rows.get(batch.id) ?? [];
      const part = out.slice(from, from + limit);
      const next = from + part.length;
      return { rows: part, next, complete: isFinal(batch) && next === out.length };
    },
    cancel: async ({ ref }) => {
      const { id } = bridge.find('batch', ref);
      bridge.move(id, 'CANCELED');
      return bridge.find('batch', id);
    },
  };
}

function inputsOf(
  { input }: ResolvedBatchDescription,
  uploads: ReadonlyMap<string, readonly unknown[]>,
  script: Script,
): readonly unknown[] {
  if ('upload' in input) return uploads.get(input.upload) ?? [];
  const text = script.files[input.file];
  if (text === undefined) {
    throw new PilothouseError('DATA_NOT_FOUND', `There is no file ${input.file}.`, { hint: 'Correct the path.' });
  }
  const lines = text.split('\n').filter((line) => line !== '');
  return input.file.endsWith('.txt') ? lines : lines.map((line): unknown => JSON.parse(line));
}

const inputSchema = z.looseObject({ prompt: z.string().optional(), messages: z.array(z.unknown()).optional() });

async function answerRow(
  script: Script,
  { op, key, method }: ResolvedBatchDescription,
  input: unknown,
  index: number,
): Promise<BatchRow> {
  const fields = inputSchema.safeParse(input).data;
  const named = fields?.[key ?? 'id'];
  const row: BatchRow = {
    key: typeof named === 'string' || typeof named === 'number' ? named : index,
    text: null,
    value: null,
    error: null,
    usage: null,
    instance: 1,
    total: 10,
    model: 'smollm2',
  };
  try {
    if (op === 'call')
      return { ...row, value: await script.reply({ op, method: method ?? 'call', input, stream: false }) };
    const content = typeof input === 'string' ? input : (fields?.prompt ?? JSON.stringify(input));
    if (op === 'embed') return { ...row, value: await script.reply({ op, input: [content] }) };
    const messages: Message[] = [{ role: 'user', content }];
    let text = '';
    for await (const piece of script.answer(messages)) text += piece;
    return { ...row, text };
  } catch (cause) {
    const code = cause instanceof PilothouseError ? cause.code : 'BACKEND_FAILED';
    return { ...row, error: { code, message: cause instanceof Error ? cause.message : String(cause) } };
  }
}
