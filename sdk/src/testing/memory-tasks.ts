import type { BridgeApi } from '../client/api.js';
import { isFinal } from '../client/picture/final.js';
import { PilothouseError } from '../errors/index.js';
import { taskDescriptionSchema } from '../schemas/index.js';
import type { MemoryBridge } from './memory-bridge.js';
import type { MemoryRunner } from './memory-runner.js';
import type { MemorySets } from './memory-sets.js';
import { explain, slice } from './memory-words.js';
import { parse } from './parse.js';
import { testTask } from './records.js';
import type { Script } from './script.js';

interface Parts {
  readonly bridge: MemoryBridge;
  readonly runner: MemoryRunner;
  readonly sets: MemorySets;
  readonly script: Script;
}

/** The calls about tasks and task sets, answered at once. */
export function memoryTasks({ bridge, runner, sets, script }: Parts): Pick<BridgeApi, 'tasks' | 'sets'> {
  const start = (description: unknown, owner: string, key: string, retryOf: string | null) => {
    const resolved = parse(taskDescriptionSchema, description);
    const { id } = bridge.once(key, () => {
      const task = testTask({ description: resolved, owner, retryOf });
      return { ...task, name: resolved.name ?? task.id };
    });
    const task = bridge.find('task', id);
    if (!isFinal(task)) runner.start(task);
    return task;
  };
  const file = (path: string): string => {
    const found = script.files[path];
    if (found !== undefined) return found;
    throw new PilothouseError('DATA_NOT_FOUND', `There is no file "${path}".`, {
      hint: 'Look at task.files() for what there is.',
    });
  };

  return {
    tasks: {
      submit: async ({ tasks, origin }) => {
        // All or none: the first that does not fit is the answer.
        for (const { description } of tasks) parse(taskDescriptionSchema, description);
        return tasks.map(({ key, description }) => start(description, origin.name, key, null));
      },
      get: async ({ ref }) => bridge.find('task', ref),
      list: async (input) => bridge.list('task', input?.all ?? false),
      explain: async ({ ref }) => explain(bridge.find('task', ref)),
      log: async ({ ref, stream, offset = 0, limit = 65536 }) =>
        slice(stream === 'stdout' ? runner.stdout(bridge.find('task', ref).id) : '', offset, limit),
      cancel: async ({ ref }) => {
        const { id } = bridge.find('task', ref);
        bridge.move(id, 'CANCELED');
        return bridge.find('task', id);
      },
      cancelMany: async ({ ids }) => {
        const live = ids.filter((id) => !isFinal(bridge.find('task', id)));
        for (const id of live) bridge.move(id, 'CANCELED');
        return { canceled: live.length };
      },
      retry: async ({ ref, origin, key }) => {
        const { id, description } = bridge.find('task', ref);
        return start(description, origin.name, key, id);
      },
      files: async ({ ref }) => {
        bridge.find('task', ref);
        const modified = new Date(0).toISOString();
        return Object.entries(script.files).map(([path, text]) => {
          return { path, size: new TextEncoder().encode(text).length, modified, folder: false };
        });
      },
      output: async ({ ref, path, offset = 0, limit = 1024 * 1024 }) => {
        bridge.find('task', ref);
        const bytes = new TextEncoder().encode(file(path));
        const part = bytes.slice(offset, offset + limit);
        const next = offset + part.length;
        const data = btoa(String.fromCharCode(...part));
        return { data, offset, next, size: bytes.length, complete: next >= bytes.length };
      },
      rows: async ({ set, pilot }, options) => sets.rows({ set, pilot }, options?.signal),
    },
    sets: {
      open: async ({ description, origin, key }) => sets.open(description, { owner: origin.name, key }),
      add: async ({ set, from, tasks, close = false }) => ({ total: sets.add(set, from, tasks, close) }),
      get: async ({ ref }) => bridge.find('set', ref),
      list: async (input) => bridge.list('set', input?.all ?? false),
      results: async ({ set, from = 0 }, options) => sets.results(set, from, options?.signal),
      explain: async ({ ref }) => explain(bridge.find('set', ref)),
      cancel: async ({ ref }) => sets.cancel(ref),
      retryFailed: async ({ ref, canceled = false, origin, key }) =>
        sets.retryFailed(ref, canceled, { owner: origin.name, key }),
    },
  };
}
