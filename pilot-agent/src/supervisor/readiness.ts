import { type Endpoint, PilothouseError, type RemoteService, type ServiceSpec } from '@pilothouse/sdk/shared';
import type { Instance } from './instance.js';
import { wasStopped } from './instance-end.js';

/** Whether a task that names a service may start. */
export type Readiness =
  | { readonly state: 'ready'; readonly endpoint: Endpoint }
  | { readonly state: 'waiting'; readonly text: string }
  | { readonly state: 'failed'; readonly error: PilothouseError };

/** What counts of a service for what waits for it. */
interface Awaited {
  readonly spec: ServiceSpec;
  readonly over: boolean;
  readonly instances: readonly Instance[];
}

/** @param turn - which of the ready instances is named: each in turn */
export function readinessOf(service: Awaited, turn: number): Readiness {
  const { spec, instances, over } = service;
  const ready = instances.filter(({ state, draining }) => state === 'READY' && !draining);
  const endpoint = ready[turn % Math.max(1, ready.length)]?.endpoint;
  if (endpoint) return { state: 'ready', endpoint };
  if (over) return { state: 'failed', error: hasEnded(spec, instances) };
  const states = new Set(instances.filter((one) => !one.over).map(({ state }) => state.toLowerCase()));
  const words = states.size === 0 ? 'starting' : [...states].join(', ');
  return { state: 'waiting', text: `waits for service ${spec.name} (${words})` };
}

/** The same for a service of elsewhere, of which only its addresses are known here. */
export function remoteReadiness(id: string, service: RemoteService | undefined): Readiness {
  if (service === undefined) {
    const error = new PilothouseError('SERVICE_NOT_FOUND', `service ${id} is not known on this pilot`, {
      hint: 'Submit the task again while the service is there.',
      ids: { service: id },
    });
    return { state: 'failed', error };
  }
  const [first] = service.endpoints;
  if (first !== undefined) return { state: 'ready', endpoint: first.endpoint };
  return { state: 'waiting', text: `waits for service ${service.name} to answer` };
}

function hasEnded(spec: ServiceSpec, instances: readonly Instance[]): PilothouseError {
  const failed = instances.findLast(({ state }) => state === 'FAILED');
  if (failed === undefined) return wasStopped(spec);
  const why = failed.error?.message ?? 'no instance is left';
  return new PilothouseError('SERVICE_FAILED', `service ${spec.name} failed: ${why}`, {
    hint: failed.error?.hint ?? 'Start it again first.',
    ids: { service: spec.id },
    cause: failed.error,
  });
}
