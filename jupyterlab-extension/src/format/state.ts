import {
  instanceStates,
  pilotStates,
  type RecordKind,
  requestStates,
  serviceStates,
  stateWords,
  taskStates,
} from '@pilothouse/sdk/internal';

const FINAL: Readonly<Record<RecordKind | 'instance', ReadonlySet<string>>> = {
  pilot: pilotStates.final,
  task: taskStates.final,
  service: serviceStates.final,
  answer: requestStates.final,
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
