import {
  type ErrorData,
  type InstanceRecord,
  instanceStates,
  type JournalRecord,
  type ServiceRecord,
  serviceStates,
} from '@pilothouse/sdk/internal';
import type { Picture } from './picture.js';
import { deriveServiceState } from './service-state.js';
import { enterPilotState } from './settle.js';

type Of<T extends JournalRecord['type']> = Extract<JournalRecord, { type: T }>;

/**
 * Lets a record of an agent's journal take effect on the picture. Fields that the record does not have keep their value;
 * a state that cannot come after the present one is an old record read again and is passed over.
 */
export function applyJournal(picture: Picture, pilot: string, record: JournalRecord): void {
  switch (record.type) {
    case 'pilot':
      enterPilotState(picture, pilot, record.state, record.t, {
        reason: record.reason,
        error: record.error,
        node: record.node,
        startedAt: record.startedAt,
        endsAt: record.endsAt,
        suspended: record.suspended,
        idle: record.idle,
        efficiency: record.efficiency,
      });
      return;
    case 'task':
      applyTask(picture, pilot, record);
      return;
    case 'claimed':
      for (const id of record.tasks) claim(picture, pilot, record.offer, id);
      return;
    case 'instance':
      picture.update('service', record.service, (service) => serviceChange(service, record));
      return;
    case 'refused':
      // Says that a spool record could not be used; what it was about is told by the records that follow from it.
      return;
  }
}

/** A task is where it was placed last: what an agent says that had it before, or never, is old. */
function applyTask({ tasks }: Picture, pilot: string, record: Of<'task'>): void {
  const slot = tasks.find(record.id);
  if (slot === undefined || tasks.pilotOf(slot) !== pilot) return;
  const taken = tasks.apply(slot, record, Date.parse(record.t), pilot);
  if (taken && record.state === 'WAITING' && RETURNS.has(record.reason?.code ?? '')) tasks.onReturn(slot);
}

/** Reasons by which an agent says that a task will not run with it any more. */
export const RETURNS: ReadonlySet<string> = new Set(['WALLTIME_OVER', 'GIVEN_BACK']);

function claim({ tasks }: Picture, pilot: string, offer: string, id: string): void {
  const slot = tasks.find(id);
  if (slot !== undefined && tasks.pilotOf(slot) === null && tasks.offerOf(slot)?.id === offer) tasks.bind(slot, pilot);
}

function serviceChange(service: ServiceRecord, record: Of<'instance'>): Partial<ServiceRecord> | null {
  const instance = service.instances.find(({ id }) => id === record.id);
  if (instance === undefined) return null;
  const changed = instanceChange(instance, record);
  if (changed === null) return null;
  const instances = service.instances.map((one) => (one === instance ? changed : one));
  return { instances, ...deriveService({ ...service, instances }, record.t) };
}

function instanceChange(instance: InstanceRecord, record: Of<'instance'>): InstanceRecord | null {
  if (instanceStates.isFinal(instance.state) || !instanceStates.canReach(instance.state, record.state)) return null;
  const moved = instance.state !== record.state;
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
    exitCode: record.exitCode ?? instance.exitCode,
    stderrTail: record.stderrTail ?? instance.stderrTail,
    output: record.output ?? instance.output,
    error: record.error ?? instance.error,
  };
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
    const failed = service.instances.find(({ error }) => error !== null);
    const error: ErrorData | null = failed?.error ?? null;
    change.error = error && { ...error, ids: { ...error.ids, service: service.id } };
  }
  return change;
}
