import type { ResolvedTaskDescription, SpooledTask } from '@pilothouse/sdk/shared';
import type { Demand } from '../scheduler/demand.js';
import { describe, memoryOf } from './description.js';
import type { Submission } from './work.js';

const CONCERNED = ['cores', 'gpus', 'memory', 'nodes', 'ranks', 'tags', 'near', 'apart'] as const;

const shared = new WeakMap<Submission, Demand>();

/** What a task needs. One object for all tasks of a batch that ask for nothing else than its template. */
export function demandOf(submission: Submission, entry: SpooledTask['entry'], memory: number | undefined): Demand {
  if (memory !== undefined || CONCERNED.some((field) => entry[field] !== undefined)) {
    const demand = demandFrom(describe(submission, entry));
    return memory === undefined ? demand : { ...demand, memory };
  }
  let demand = shared.get(submission);
  if (demand === undefined) {
    demand = demandFrom(describe(submission, entry));
    shared.set(submission, demand);
  }
  return demand;
}

function demandFrom(description: ResolvedTaskDescription): Demand {
  const { cores, gpus, nodes, ranks, tags, near, apart } = description;
  return {
    cores,
    gpus,
    memory: memoryOf(description),
    ...(ranks === undefined ? {} : { slots: ranks }),
    ...(nodes === undefined ? {} : { nodes }),
    ...(tags.length > 0 ? { tags } : {}),
    ...(near.length > 0 ? { near } : {}),
    ...(apart.length > 0 ? { apart } : {}),
  };
}
