import {
  type InstanceRecord,
  instanceStates,
  type Reason,
  type ServiceRecord,
  type ServiceState,
} from '@pilothouse/sdk/internal';

/**
 * What a service is, from what its instances are: READY when all are, DEGRADED when some are, STARTING until the first
 * was ready once and UNAVAILABLE after; FAILED when none is left and one failed.
 */
export function deriveServiceState(service: ServiceRecord, t: string): { state: ServiceState; reason: Reason | null } {
  const { instances } = service;
  const ready = instances.filter(({ state }) => state === 'READY').length;
  const open = instances.filter(({ state }) => !instanceStates.isFinal(state));
  const failed = instances.filter(({ state }) => state === 'FAILED').length;
  const stopping = service.state === 'STOPPING' || service.times.STOPPING !== undefined;
  if (open.length === 0) return { state: failed > 0 && !stopping ? 'FAILED' : 'STOPPED', reason: null };
  if (stopping) return { state: 'STOPPING', reason: service.reason };
  if (ready === instances.length) return { state: 'READY', reason: null };
  const wasReady = service.times.READY !== undefined || service.times.DEGRADED !== undefined;
  const state = ready > 0 ? 'DEGRADED' : wasReady ? 'UNAVAILABLE' : 'STARTING';
  return { state, reason: explainInstances(service, open, ready, t) };
}

/** The sentence that says what is still missing: an instance's own reason where there is one, else what they do. */
function explainInstances(service: ServiceRecord, open: InstanceRecord[], ready: number, t: string): Reason {
  const total = service.instances.length;
  const waiting = open.find(({ state }) => state !== 'READY');
  const why = waiting?.reason;
  const prefix = total > 1 ? `${ready} of ${total} ready` : '';
  if (why !== null && why !== undefined) {
    return prefix === '' ? why : { ...why, text: `${prefix}; instance ${waiting?.index}: ${why.text}` };
  }
  const doing = waiting === undefined ? 'an instance failed' : INSTANCE_DOES[waiting.state];
  const text = prefix === '' ? doing : `${prefix}; ${doing}`;
  const known = service.reason;
  return known?.text === text ? known : { code: waiting?.state ?? 'FAILED', text, since: t };
}

const INSTANCE_DOES: Readonly<Record<InstanceRecord['state'], string>> = {
  NEW: 'not yet with its pilot',
  WAITING: 'waits',
  SCHEDULING: 'waits for resources',
  LAUNCHING: 'its process starts',
  INITIALIZING: 'its process runs and loads; not ready yet',
  READY: 'ready',
  UNHEALTHY: 'does not answer',
  BACKOFF: 'ended and starts again soon',
  STOPPING: 'stops',
  STOPPED: 'stopped',
  FAILED: 'failed',
};
