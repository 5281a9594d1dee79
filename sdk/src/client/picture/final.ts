import type { AnyRecord } from '../../schemas/index.js';
import {
  batchStates,
  pilotStates,
  requestStates,
  type StateMachine,
  serviceStates,
  taskSetStates,
  taskStates,
} from '../../states/index.js';

/** The state machine of each kind of record. */
export const machines = {
  pilot: pilotStates,
  task: taskStates,
  set: taskSetStates,
  service: serviceStates,
  answer: requestStates,
  batch: batchStates,
} as const;

/** Whether nothing follows any more. */
export function isFinal(record: AnyRecord): boolean {
  const machine: StateMachine<string> = machines[record.kind];
  return machine.isFinal(record.state);
}
