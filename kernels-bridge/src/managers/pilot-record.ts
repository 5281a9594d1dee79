import {
  type Origin,
  type PilotRecord,
  type ResolvedPilotDescription,
  toBytes,
  toSeconds,
} from '@pilothouse/sdk/internal';
import type { PilotSpec } from '../engines/index.js';

const NO_USAGE = { cores: 0, gpus: 0, memory: 0, running: 0, waiting: 0, done: 0, failed: 0 };

/** What an engine gets. */
export function specOf(id: string, name: string, description: ResolvedPilotDescription, createdAt: string): PilotSpec {
  return {
    id,
    name,
    cores: description.cores,
    gpus: description.gpus,
    memory: description.memory === undefined ? null : toBytes(description.memory),
    nodes: description.nodes,
    runtime: toSeconds(description.runtime),
    ...idleAfter(description),
    createdAt,
  };
}

/** A pilot as it begins. */
export function newPilotRecord(spec: PilotSpec, description: ResolvedPilotDescription, origin: Origin): PilotRecord {
  const { createdAt, cores, gpus, memory, runtime } = spec;
  return {
    kind: 'pilot',
    id: spec.id,
    name: spec.name,
    seq: 0,
    state: 'NEW',
    since: createdAt,
    reason: null,
    contact: { lost: false, since: createdAt },
    error: null,
    times: { NEW: createdAt },
    owner: origin.name,
    createdAt,
    endedAt: null,
    description,
    engine: description.engine,
    resources: { cores, gpus, memory, runtime },
    usage: NO_USAGE,
    node: null,
    startedAt: null,
    endsAt: null,
    suspended: false,
    idle: null,
    efficiency: null,
    gateway: null,
  };
}

/** Its idle time in seconds, where the description says one. */
export function idleAfter({ idleAfter: wanted }: Pick<ResolvedPilotDescription, 'idleAfter'>): { idleAfter?: number } {
  return wanted === undefined ? {} : { idleAfter: toSeconds(wanted) };
}
