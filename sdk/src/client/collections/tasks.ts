import { PilothouseError } from '../../errors/index.js';
import { newId } from '../../ids/ids.js';
import type { TaskDescription, TaskRecord } from '../../schemas/index.js';
import type { Core } from '../handles/core.js';
import { TaskHandle } from '../handles/task-handle.js';
import type { CallOptions, TaskInput, Tasks } from '../types.js';
import { reference } from './reference.js';

/** Tasks in one call of the contract; larger sets go in several, each safe to repeat. */
const BATCH = 1000;
/** Characters in one call: messages stay below 8 MiB whatever the alphabet. */
const BATCH_LENGTH = 2 * 1024 * 1024;

function plain({ pilot, services, ...rest }: TaskInput): TaskDescription {
  return {
    ...rest,
    ...(pilot === undefined ? {} : { pilot: reference(pilot) }),
    ...(services === undefined ? {} : { services: services.map(reference) }),
  };
}

function* batches<T>(tasks: readonly T[]): Generator<T[]> {
  let batch: T[] = [];
  let length = 0;
  for (const task of tasks) {
    const size = JSON.stringify(task).length;
    if (batch.length === BATCH || (batch.length > 0 && length + size > BATCH_LENGTH)) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(task);
    length += size;
  }
  if (batch.length > 0) yield batch;
}

/** `session.tasks` */
export function tasksOf(core: Core): Tasks {
  const { caller, store } = core;

  async function submitAll(descriptions: readonly TaskInput[], options?: CallOptions): Promise<TaskHandle[]> {
    const tasks = descriptions.map((description) => ({ description: plain(description), key: newId('key') }));
    const { origin } = caller;
    const records: TaskRecord[] = [];
    for (const batch of batches(tasks)) {
      const taken = await caller.call(`submitting ${batch.length} tasks`, options, (api, signal) =>
        api.tasks.submit({ tasks: batch, origin }, { signal }),
      );
      records.push(...taken);
    }
    return records.map((record) => new TaskHandle(core, store.tasks.put(record)));
  }

  return {
    async submit(description, options) {
      const [task] = await submitAll([description], options);
      if (!task) throw new PilothouseError('INTERNAL', 'One task was submitted and none came back.');
      return task;
    },
    submitMany: submitAll,
    async get(ref, options) {
      const record = await caller.call(`task ${ref}`, options, (api, signal) => api.tasks.get({ ref }, { signal }));
      return new TaskHandle(core, store.tasks.put(record));
    },
    async list({ all = false, ...options } = {}) {
      const records = await caller.call('listing tasks', options, (api, signal) => api.tasks.list({ all }, { signal }));
      return records.map((record) => new TaskHandle(core, store.tasks.put(record)));
    },
  };
}
