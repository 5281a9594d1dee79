import {
  type InstanceRecord,
  instanceStates,
  type Reason,
  type ServiceRecord,
  type ServiceState,
} from '@pilothouse/sdk/internal';

/** Load of a service that nobody has asked anything. */
export const NO_LOAD: ServiceRecord['load'] = {
  outstanding: 0,
  queued: 0,
  p50: null,
  p99: null,
  perSecond: 0,
  failed: 0,
  recent: [],
};

/** How many instances a service should have at the moment. */
export function wantedInstances({ scale, description, instances }: ServiceRecord): number {
  if (scale !== null) return scale.wanted;
  if (!('instances' in description)) return instances.length;
  return typeof description.instances === 'number' ? description.instances : description.instances.min;
}

/**
 * What a service is, from what its instances are: READY when as many are as there should be, DEGRADED when some are,
 * STARTING until the first was ready once and UNAVAILABLE after; FAILED when none is left and one failed. One that has
 * been READY stays so while it merely grows. With no instance wanted it sleeps, and is READY: a request starts one.
 */
export function deriveServiceState(service: ServiceRecord, t: string): { state: ServiceState; reason: Reason | null } {
  const { instances } = service;
  const wanted = wantedInstances(service);
  const open = instances.filter(({ state }) => !instanceStates.isFinal(state));
  const serving = open.filter(({ draining }) => !draining);
  const ready = serving.filter(({ state }) => state === 'READY').length;
  const stopping = service.state === 'STOPPING' || service.times.STOPPING !== undefined;
  if (open.length === 0 && (stopping || (wanted > 0 && instances.length > 0))) {
    const failed = instances.some(({ state }) => state === 'FAILED');
    return { state: failed && !stopping ? 'FAILED' : 'STOPPED', reason: null };
  }
  if (stopping) return { state: 'STOPPING', reason: service.reason };
  if (wanted === 0 && serving.length === 0 && service.scale !== null) {
    return { state: 'READY', reason: keep(service, 'SLEEPS', 'sleeps; starts with the first request', t) };
  }
  const wasReady = service.times.READY !== undefined;
  const hurt = serving.some(({ state, attempt }) => (state !== 'READY' && attempt > 1) || HURT.has(state));
  const lost = serving.length < wanted && instances.some(({ state }) => state === 'FAILED');
  const whole = ready >= wanted && ready === serving.length && ready > 0;
  // One that is emptied although as many are wanted is on its way to a new start.
  const leaving = serving.length < wanted ? open.find(({ draining }) => draining) : undefined;
  const grows = ready > 0 && wasReady && service.state === 'READY' && !hurt && !lost && leaving === undefined;
  if (whole && !lost) return { state: 'READY', reason: null };
  const reason = explainInstances(service, serving, ready, wanted, t, leaving);
  if (grows) return { state: 'READY', reason };
  const served = wasReady || service.times.DEGRADED !== undefined;
  return { state: ready > 0 ? 'DEGRADED' : served ? 'UNAVAILABLE' : 'STARTING', reason };
}

/** States that an instance is in because something went wrong. */
const HURT: ReadonlySet<InstanceRecord['state']> = new Set(['UNHEALTHY', 'BACKOFF']);

/** The sentence that says what is still missing: an instance's own reason where there is one, else what they do. */
function explainInstances(
  service: ServiceRecord,
  serving: readonly InstanceRecord[],
  ready: number,
  wanted: number,
  t: string,
  leaving: InstanceRecord | undefined,
): Reason | null {
  const total = Math.max(wanted, serving.length);
  const waiting = serving.find(({ state }) => state !== 'READY');
  // Nothing is known of its instances yet: what was said when it was submitted still holds.
  if (waiting === undefined && service.instances.length === 0) return service.reason;
  const why = waiting?.reason;
  const prefix = total > 1 ? `${ready} of ${total} ready` : '';
  if (why !== null && why !== undefined) {
    return prefix === '' ? why : { ...why, text: `${prefix}; instance ${waiting?.index}: ${why.text}` };
  }
  const failed = service.instances.some(({ state }) => state === 'FAILED');
  const others =
    leaving === undefined
      ? failed
        ? 'an instance failed'
        : 'more start'
      : `instance ${leaving.index} is started anew`;
  const doing = waiting === undefined ? others : INSTANCE_DOES[waiting.state];
  return keep(service, waiting?.state ?? 'FAILED', prefix === '' ? doing : `${prefix}; ${doing}`, t);
}

/** The reason as it was, where it says the same: it keeps its time. */
function keep(service: ServiceRecord, code: string, text: string, since: string): Reason {
  return service.reason?.text === text ? service.reason : { code, text, since };
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
