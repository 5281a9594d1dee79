import {
  batchStates,
  instanceStates,
  pilotStates,
  type RecordKind,
  requestStates,
  serviceStates,
  stateWords,
  taskSetStates,
  taskStates,
} from '@pilothouse/sdk/internal';

const FINAL: Readonly<Record<RecordKind | 'instance', ReadonlySet<string>>> = {
  pilot: pilotStates.final,
  task: taskStates.final,
  set: taskSetStates.final,
  service: serviceStates.final,
  answer: requestStates.final,
  batch: batchStates.final,
  instance: instanceStates.final,
};

/** Whether nothing follows this state. */
export function isFinal(kind: RecordKind | 'instance', state: string): boolean {
  return FINAL[kind].has(state);
}

/** The word people read for a state. */
export function stateWord(state: string): string {
  return stateWords[state] ?? state;
}
