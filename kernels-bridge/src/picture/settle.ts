import {
  batchStates,
  type ErrorData,
  instanceStates,
  type PilotRecord,
  type PilotState,
  pilotStates,
  type Reason,
  serviceStates,
} from '@pilothouse/sdk/internal';
import type { Picture } from './picture.js';
import { FLAG } from './tasks/columns.js';
import { phaseOf } from './tasks/facts.js';
import { askedFor } from './tasks/task-record.js';
import type { TaskTable } from './tasks/task-table.js';

/** What is known with a new state of a pilot; fields that are undefined keep their last value. */
export interface PilotFacts {
  readonly reason?: Reason | null | undefined;
  readonly error?: ErrorData | null | undefined;
  readonly node?: string | undefined;
  readonly startedAt?: string | undefined;
  readonly endsAt?: string | undefined;
  readonly suspended?: boolean | undefined;
  readonly idle?: PilotRecord['idle'] | undefined;
  readonly efficiency?: PilotRecord['efficiency'] | undefined;
  readonly gateway?: NonNullable<PilotRecord['gateway']> | undefined;
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
    if (facts.suspended !== undefined) change.suspended = facts.suspended;
    if (facts.idle !== undefined) change.idle = facts.idle;
    if (facts.efficiency !== undefined) change.efficiency = facts.efficiency;
    if (facts.gateway !== undefined) change.gateway = facts.gateway;
    if (moved) {
      change.state = state;
      change.since = t;
      change.times = { ...pilot.times, [state]: t };
      if (pilotStates.isFinal(state)) {
        change.endedAt = t;
        change.contact = { lost: false, since: t };
        change.idle = null;
        change.gateway = null;
      }
    }
    return change;
  });
}

/**
 * Once a pilot is final, nothing on it can go on: what its agent left without an end, and what can go on nowhere else, is
 * ended here. Called after everything the agent wrote has been read.
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
  const { tasks } = picture;
  const at = Date.parse(t);
  for (const slot of tasks.on(id)) {
    if (tasks.isFinal(slot) || canMove(tasks, slot, pilot)) continue;
    const own = { ...error, ids: { ...error.ids, task: tasks.idOf(slot) } };
    tasks.apply(slot, { state: lost ? 'FAILED' : 'CANCELED', error: own }, at, id);
  }
  for (const service of [...picture.servicesOn(id)]) settleService(picture, service, lost, error, t);
  for (const batch of [...picture.batchesOn(id)]) settleBatch(picture, batch, error, t);
  settleUsage(picture, pilot.id);
}

/**
 * Whether a task whose pilot has ended may go on with another: nobody asked for that very pilot, or for its end with
 * everything on it, and it had not begun, or may begin again.
 */
export function canMove(tasks: TaskTable, slot: number, { state }: PilotRecord): boolean {
  if (state === 'CANCELED' || tasks.has(slot, FLAG.named) || tasks.has(slot, FLAG.canceling)) return false;
  if (phaseOf(tasks.stateNumber(slot)) === 'waiting') return true;
  const { retries = 0, checkpoint } = askedFor(tasks, slot);
  return checkpoint !== undefined || (typeof retries === 'number' ? retries : retries.max) > 0;
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

/** A batch ends with the pilot that carries it; asked for again, it does only what is missing. */
function settleBatch(picture: Picture, id: string, error: ErrorData, t: string): void {
  picture.update('batch', id, (batch) => {
    if (batchStates.isFinal(batch.state)) return null;
    return {
      state: 'FAILED',
      since: t,
      reason: null,
      error: {
        ...error,
        hint: 'Start it again, with the same output: it does only what is missing there.',
        retryable: true,
        ids: { ...error.ids, batch: id },
      },
      contact: { lost: false, since: t },
      times: { ...batch.times, FAILED: t },
      endedAt: t,
      progress: { ...batch.progress, inFlight: 0, rate: null, eta: null },
    };
  });
}

/** Nothing is in use any more, and the counts are those of the tasks themselves instead of the last beat's. */
function settleUsage(picture: Picture, id: string): void {
  const { tasks } = picture;
  let done = 0;
  let failed = 0;
  for (const slot of tasks.on(id)) {
    const state = tasks.state(slot);
    if (state === 'DONE' && !tasks.has(slot, FLAG.resumed)) done += 1;
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

/** Whether a pilot has not been started, so that no agent has anything to say about what is on it. */
export function isUnstarted(picture: Picture, id: string | null | undefined): boolean {
  const state = picture.get('pilot', id ?? '')?.state;
  return state === 'NEW' || state === 'QUEUED';
}
