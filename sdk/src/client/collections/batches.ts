import { PilothouseError } from '../../errors/index.js';
import type { BatchDescription } from '../../schemas/index.js';
import type { Batch, Batches, BatchOptions, MapInput } from '../batch-types.js';
import { BatchHandle } from '../handles/batch-handle.js';
import type { Core } from '../handles/core.js';
import { uploadRows } from '../submission/upload-rows.js';
import type { CallOptions } from '../types.js';
import { reference } from './reference.js';

/** `session.batches` */
export function batchesOf(core: Core): Batches {
  const { caller, store } = core;
  return {
    start: (description, options) => startBatch(core, description, options),
    async get(ref, options) {
      const record = await caller.call(`batch ${ref}`, options, (api, signal) => api.batches.get({ ref }, { signal }));
      return new BatchHandle(core, store.batches.put(record));
    },
    async list({ all = false, ...options } = {}) {
      const records = await caller.call('listing batches', options, (api, signal) =>
        api.batches.list({ all }, { signal }),
      );
      return records.map((record) => new BatchHandle(core, store.batches.put(record)));
    },
  };
}

/** `service.map(…)`: a list is sent first, in pieces; then the batch is started. */
export async function mapService(
  core: Core,
  service: { readonly id: string },
  input: MapInput,
  { name, out, key, op, method, onError, tries, concurrency, pilot, signal, ...options }: BatchOptions = {},
): Promise<Batch> {
  const description: BatchDescription = {
    service: service.id,
    input: typeof input === 'string' ? { file: input } : { upload: await uploadRows(core.caller, input, signal) },
    options,
    ...(name === undefined ? {} : { name }),
    ...(out === undefined ? {} : { out }),
    ...(key === undefined ? {} : { key }),
    ...(op === undefined ? {} : { op }),
    ...(method === undefined ? {} : { method }),
    ...(onError === undefined ? {} : { onError }),
    ...(tries === undefined ? {} : { tries }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(pilot === undefined ? {} : { pilot: reference(pilot) }),
  };
  if (op === 'call' && method === undefined) {
    throw new PilothouseError('INVALID_DESCRIPTION', 'A batch of calls needs the name of the method.', {
      hint: 'Give it as "method".',
      field: 'method',
    });
  }
  return startBatch(core, description, { signal });
}

async function startBatch(core: Core, description: BatchDescription, options?: CallOptions): Promise<Batch> {
  const submission = core.caller.submission();
  const record = await core.caller.call('starting a batch', options, (api, signal) =>
    api.batches.start({ description, ...submission }, { signal }),
  );
  return new BatchHandle(core, core.store.batches.put(record));
}
