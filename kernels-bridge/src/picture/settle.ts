import {
  type ErrorData,
  instanceStates,
  type PilotRecord,
  type PilotState,
  pilotStates,
  type Reason,
  serviceStates,
  taskStates,
} from '@pilothouse/sdk/internal';
import type { Picture } from './picture.js';

/** What is known with a new state of a pilot; fields that are undefined keep their last value. */
export interface PilotFacts {
  readonly reason?: Reason | null | undefined;
  readonly error?: ErrorData | null | undefined;
  readonly node?: string | undefined;
  readonly startedAt?: string | undefined;
  readonly endsAt?: string | undefined;
}

/** Moves a pilot to a state, unless it cannot come after the present one (an old record read again). */
export function enterPilotState(picture: Picture, id: string, state: PilotState, t: string, facts: PilotFacts): void {
  picture.update('pilot', id, (pilot) => {
    if (!pilotStates.canReach(pilot.state, state)) return null;
    const moved = pilot.state !== state;
    const change: Partial<PilotRecord> = { reason: facts.reason ?? (moved ? null : pilot.reason) };
    if (facts.reason === null) change.reason = null;
    if (facts.error !== undefined) change.error = facts.error;
    if (facts.node !== undefined) change.node = facts.node;
    if (facts.startedAt !== undefined) change.startedAt = facts.startedAt;
    if (facts.endsAt !== undefined) change.endsAt = facts.endsAt;
    if (moved) {
      change.state = state;
      change.since = t;
      change.times = { ...pilot.times, [state]: t };
      if (pilotStates.isFinal(state)) {
        change.endedAt = t;
        change.contact = { lost: false, since: t };
      }
    }
    return change;
  });
}

/**
 * Once a pilot is final, nothing on it can go on: what its agent left without an end is ended here. Called after
 * everything the agent wrote has been read.
 */
export function settlePilot(picture: Picture, id: string, t: string): void {
  const pilot = picture.get('pilot', id);
  if (pilot === undefined || !pilotStates.isFinal(pilot.state)) return;
  const lost = pilot.state === 'FAILED';
  const error: ErrorData = lost
    ? {
        code: 'NODE_LOST',
        message: `pilot "${pilot.name}" was lost before this ended`,
        hint: 'Look at the pilot for what happened, then submit it again.',
        retryable: true,
        ids: { pilot: id },
        ...(pilot.error?.evidence === undefined ? {} : { evidence: pilot.error.evidence }),
      }
    : {
        code: 'PILOT_ENDED',
        message: `pilot "${pilot.name}" ended before this did`,
        hint: 'Submit it again on another pilot, or ask for a longer runtime.',
        retryable: false,
        ids: { pilot: id },
      };
  for (const task of [...picture.on(id, 'task')]) settleTask(picture, task, lost, error, t);
  for (const service of [...picture.on(id, 'service')]) settleService(picture, service, lost, error, t);
  settleUsage(picture, pilot.id);
}

function settleTask(picture: Picture, id: string, lost: boolean, error: ErrorData, t: string): void {
  picture.update('task', id, (task) => {
    if (taskStates.isFinal(task.state)) return null;
    const state = lost ? 'FAILED' : 'CANCELED';
    return {
      state,
      since: t,
      reason: null,
      error: { ...error, ids: { ...error.ids, task: id } },
      contact: { lost: false, since: t },
      times: { ...task.times, [state]: t },
      endedAt: t,
    };
  });
}

function settleService(picture: Picture, id: string, lost: boolean, error: ErrorData, t: string): void {
  picture.update('service', id, (service) => {
    if (serviceStates.isFinal(service.state)) return null;
    const failed = lost && service.state !== 'STOPPING';
    const state = failed ? 'FAILED' : 'STOPPED';
    return {
      state,
      since: t,
      reason: null,
      error: { ...error, ids: { ...error.ids, service: id } },
      contact: { lost: false, since: t },
      times: { ...service.times, [state]: t },
      endedAt: t,
      instances: service.instances.map((instance) =>
        instanceStates.isFinal(instance.state)
          ? instance
          : {
              ...instance,
              state,
              since: t,
              reason: null,
              contact: { lost: false, since: t },
              times: { ...instance.times, [state]: t },
            },
      ),
    };
  });
}

/** Nothing is in use any more, and the counts are those of the tasks themselves instead of the last beat's. */
function settleUsage(picture: Picture, id: string): void {
  let done = 0;
  let failed = 0;
  for (const task of picture.on(id, 'task')) {
    const state = picture.get('task', task)?.state;
    if (state === 'DONE') done += 1;
    if (state === 'FAILED') failed += 1;
  }
  const usage = { cores: 0, gpus: 0, memory: 0, running: 0, waiting: 0, done, failed };
  picture.update('pilot', id, (pilot) => (sameUsage(pilot.usage, usage) ? null : { usage }));
}

/** Whether two usages say the same; a beat that changes nothing is no news. */
export function sameUsage(a: PilotRecord['usage'], b: PilotRecord['usage']): boolean {
  return (
    a.cores === b.cores &&
    a.gpus === b.gpus &&
    a.memory === b.memory &&
    a.running === b.running &&
    a.waiting === b.waiting &&
    a.done === b.done &&
    a.failed === b.failed
  );
}
