import type { PilotFile, ServiceSpec } from '@pilothouse/sdk/shared';
import type { Instance } from './instance.js';

/** What of services counts for the room that is left. */
interface Occupant {
  readonly spec: ServiceSpec;
  readonly instances: readonly Pick<Instance, 'over'>[];
}

/** How many instances of a service a pilot can hold beside the other services; tasks make way for services. */
export function roomFor(spec: ServiceSpec, pilot: PilotFile, services: Iterable<Occupant>): number {
  const left = { cores: pilot.cores, gpus: pilot.gpus, memory: pilot.memory };
  for (const { spec: other, instances } of services) {
    if (other.id === spec.id) continue;
    const live = instances.filter(({ over }) => !over).length;
    left.cores -= live * other.cores;
    left.gpus -= live * other.gpus;
    if (left.memory !== null) left.memory -= live * (other.memory ?? 0);
  }
  const parts = [
    [left.cores, spec.cores],
    [left.gpus, spec.gpus],
    [left.memory ?? Number.POSITIVE_INFINITY, spec.memory ?? 0],
  ] as const;
  return Math.max(
    0,
    Math.min(...parts.map(([all, each]) => (each > 0 ? Math.floor(all / each) : Number.MAX_SAFE_INTEGER))),
  );
}
