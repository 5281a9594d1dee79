import type { Beat } from '@pilothouse/sdk/shared';
import type { Instance } from './instance.js';

/** What beats say of instances: their latest probes, and how far those have loaded that start. */
export function reportsOf(instances: Iterable<Instance>): Pick<Beat, 'probes' | 'roles' | 'loading'> {
  const probes: Beat['probes'] = {};
  const roles: NonNullable<Beat['roles']> = {};
  const loading: NonNullable<Beat['loading']> = {};
  for (const { id, results, progress, over } of instances) {
    if (over) continue;
    const { readiness, startup, liveness } = results;
    if (readiness) probes[id] = readiness;
    if (startup || liveness) roles[id] = { ...(startup ? { startup } : {}), ...(liveness ? { liveness } : {}) };
    if (progress) loading[id] = progress;
  }
  return {
    probes,
    ...(Object.keys(roles).length > 0 ? { roles } : {}),
    ...(Object.keys(loading).length > 0 ? { loading } : {}),
  };
}
