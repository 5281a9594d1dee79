import {
  type Beat,
  type ErrorData,
  type InstanceRecord,
  instanceStates,
  type JournalRecord,
  PROBE_ROLES,
  type Reason,
  type ResolvedServiceDescription,
  type ServiceRecord,
  serviceStates,
} from '@pilothouse/sdk/internal';
import type { Picture } from './picture.js';
import { deriveServiceState } from './service-state.js';
import { isUnstarted } from './settle.js';

type Of<T extends JournalRecord['type']> = Extract<JournalRecord, { type: T }>;

/** Ended instances that a record keeps beside the live ones, so that one that scales for days does not grow. */
const ENDED_KEPT = 32;

/** What an agent says about one instance; null where that is old. */
export function instanceFacts(service: ServiceRecord, record: Of<'instance'>): Partial<ServiceRecord> | null {
  const known = service.instances.find(({ id }) => id === record.id);
  if (known === undefined && (record.index === undefined || serviceStates.isFinal(service.state))) return null;
  const instance = known ?? newInstance(record.id, record.index ?? 0, record.t, service.contact);
  const changed = instanceChange(instance, record);
  if (changed === null) return null;
  const instances =
    known === undefined
      ? [...service.instances, changed]
      : service.instances.map((one) => (one === instance ? changed : one));
  const kept = withoutOldest(instances);
  return { instances: kept, ...deriveService({ ...service, instances: kept }, record.t) };
}

/** What an agent says about a service as a whole. */
export function serviceFacts(service: ServiceRecord, record: Of<'service'>): Partial<ServiceRecord> | null {
  if (serviceStates.isFinal(service.state)) return null;
  const facts = { methods: record.methods ?? service.methods, ...scaleFacts(service, record.scale) };
  const known: ServiceRecord = { ...service, ...facts };
  if (record.ending !== undefined && serviceStates.canReach(service.state, 'STOPPING')) {
    const { ending, t } = record;
    const leaving = { state: 'STOPPING', reason: ending, since: t, times: { ...service.times, STOPPING: t } } as const;
    return { ...facts, ...leaving, ...deriveService({ ...known, ...leaving }, t) };
  }
  return { ...facts, ...deriveService(known, record.t) };
}

/** A number that does not change by itself stands in the description alone; limits stand there and in the report. */
function scaleFacts(
  { scale, description }: ServiceRecord,
  report: Of<'service'>['scale'],
): Pick<ServiceRecord, 'scale' | 'description'> {
  if (report === undefined || !('instances' in description)) return { scale, description };
  const fixed = report.min === report.max && typeof description.instances === 'number';
  if (!fixed) return { scale: report, description };
  return { scale: null, description: { ...description, instances: Math.max(1, report.wanted) } };
}

/** What a beat of an agent says of instances; by instance id. */
export interface Heard {
  readonly probes: Beat['probes'];
  readonly roles: NonNullable<Beat['roles']>;
  readonly loading: NonNullable<Beat['loading']>;
}

/** The latest probes and the progress of loading; null where a beat says nothing new. */
export function beaten(service: ServiceRecord, heard: Heard): Partial<ServiceRecord> | null {
  let news = false;
  const instances = service.instances.map((instance) => {
    const changed = instanceBeaten(instance, heard);
    news ||= changed !== instance;
    return changed;
  });
  return news ? { instances } : null;
}

function instanceBeaten(instance: InstanceRecord, heard: Heard): InstanceRecord {
  const { id, state } = instance;
  if (!isLive(instance)) return instance;
  const probe = heard.probes[id] ?? instance.probe;
  const readiness = probe === null || heard.probes[id] === undefined ? {} : { readiness: probe };
  const probes = { ...instance.probes, ...readiness, ...heard.roles[id] };
  const loads = state === 'LAUNCHING' || state === 'INITIALIZING';
  const progress = loads ? (heard.loading[id] ?? instance.progress) : null;
  const same =
    probe?.at === instance.probe?.at &&
    PROBE_ROLES.every((role) => probes[role]?.at === instance.probes[role]?.at) &&
    progress?.text === instance.progress?.text &&
    progress?.share === instance.progress?.share;
  return same ? instance : { ...instance, probe, probes, progress };
}

/** Somebody asked for its end: at once where no process of it can run, else its agent sees to it. */
export function stopping(
  picture: Picture,
  service: ServiceRecord,
  t: string,
  reason: Omit<Reason, 'since'>,
): Partial<ServiceRecord> | null {
  if (serviceStates.isFinal(service.state)) return null;
  const running = service.instances.some(isLive);
  const atOnce = !running || service.origin === 'attached' || isUnstarted(picture, service.pilot);
  const state = atOnce ? 'STOPPED' : 'STOPPING';
  return {
    state,
    since: t,
    reason: atOnce ? null : { ...reason, since: t },
    times: { ...service.times, [state]: t },
    endedAt: atOnce ? t : null,
    instances: atOnce
      ? service.instances.map((instance) =>
          isLive(instance) ? { ...instance, state: 'STOPPED', since: t, reason: null } : instance,
        )
      : service.instances,
  };
}

/** One instance is to go once it has answered what it has; a number that does not change by itself is one less then. */
export function draining(service: ServiceRecord, id: string, t: string): Partial<ServiceRecord> | null {
  const instance = service.instances.find((one) => one.id === id);
  if (instance === undefined || !isLive(instance) || instance.draining) return null;
  const instances = service.instances.map((one) => (one === instance ? { ...one, draining: true } : one));
  const { description } = service;
  const fewer =
    'instances' in description && typeof description.instances === 'number'
      ? { ...description, instances: Math.max(1, description.instances - 1) }
      : description;
  return { instances, description: fewer, ...deriveService({ ...service, instances, description: fewer }, t) };
}

/** Another number of instances is asked for; what its agent does about it follows in its journal. */
export function scaled(
  service: ServiceRecord,
  instances: ResolvedServiceDescription['instances'],
  t: string,
): Partial<ServiceRecord> | null {
  if (serviceStates.isFinal(service.state) || service.origin !== 'launched' || !('instances' in service.description)) {
    return null;
  }
  const description = { ...service.description, instances };
  if (typeof instances === 'number') {
    return { description, scale: null, ...deriveService({ ...service, description, scale: null }, t) };
  }
  const { min, max } = instances;
  const wanted = Math.min(max, Math.max(min, service.scale?.wanted ?? service.instances.filter(isLive).length));
  const scale = { min, max, wanted, why: service.scale?.why ?? null, since: service.scale?.since ?? null };
  return { description, scale, ...deriveService({ ...service, description, scale }, t) };
}

/** State, reason and error of a service as they follow from its instances. */
export function deriveService(service: ServiceRecord, t: string): Partial<ServiceRecord> {
  const { state, reason } = deriveServiceState(service, t);
  const change: Partial<ServiceRecord> = { reason };
  if (state === service.state || !serviceStates.canReach(service.state, state)) return change;
  change.state = state;
  change.since = t;
  change.times = { ...service.times, [state]: t };
  if (!serviceStates.isFinal(state)) return change;
  change.endedAt = t;
  if (state === 'FAILED') {
    const failed = service.instances.findLast(({ error }) => error !== null);
    const error: ErrorData | null = failed?.error ?? null;
    change.error = error && { ...error, ids: { ...error.ids, service: service.id } };
  }
  return change;
}

/** An instance as it begins. */
export function newInstance(id: string, index: number, t: string, contact: InstanceRecord['contact']): InstanceRecord {
  return {
    id,
    index,
    state: 'NEW',
    since: t,
    reason: null,
    contact,
    attempt: 1,
    endpoint: null,
    bootstrap: null,
    probe: null,
    probes: {},
    progress: null,
    draining: false,
    load: null,
    exitCode: null,
    stderrTail: null,
    output: null,
    error: null,
    times: { NEW: t },
  };
}

function isLive({ state }: InstanceRecord): boolean {
  return !instanceStates.isFinal(state);
}

function instanceChange(instance: InstanceRecord, record: Of<'instance'>): InstanceRecord | null {
  if (instanceStates.isFinal(instance.state) || !instanceStates.canReach(instance.state, record.state)) return null;
  const moved = instance.state !== record.state;
  const loading = record.state === 'LAUNCHING' || record.state === 'INITIALIZING';
  const final = instanceStates.isFinal(record.state);
  return {
    ...instance,
    state: record.state,
    since: moved ? record.t : instance.since,
    reason: record.reason === undefined ? (moved ? null : instance.reason) : record.reason,
    times: moved ? { ...instance.times, [record.state]: record.t } : instance.times,
    attempt: record.attempt ?? instance.attempt,
    endpoint: record.endpoint ?? instance.endpoint,
    bootstrap: record.bootstrap ?? instance.bootstrap,
    probe: record.probe ?? instance.probe,
    // What the last process said of itself says nothing about the next.
    probes: moved && record.state === 'LAUNCHING' ? {} : instance.probes,
    progress: loading ? instance.progress : null,
    draining: final ? false : (record.draining ?? instance.draining),
    load: final ? null : instance.load,
    exitCode: record.exitCode ?? instance.exitCode,
    stderrTail: record.stderrTail ?? instance.stderrTail,
    output: record.output ?? instance.output,
    error: record.error ?? instance.error,
  };
}

function withoutOldest(instances: readonly InstanceRecord[]): InstanceRecord[] {
  const ended = instances.filter((instance) => !isLive(instance));
  // Those of a service that ends as a whole end one by one: they are all its last.
  if (ended.length <= ENDED_KEPT || ended.length * 2 <= instances.length) return [...instances];
  const live = instances.length - ended.length;
  if (live === 0) return [...instances];
  const gone = new Set(ended.slice(0, ended.length - ENDED_KEPT));
  return instances.filter((instance) => !gone.has(instance));
}
