import {
  type ErrorData,
  type Origin,
  type OutputRange,
  type Payload,
  type Placement,
  type Reason,
  type RemoteException,
  type ResolvedTaskEntry,
  type ResolvedTaskSetDescription,
  type SpooledTask,
  type StagingReport,
  type TaskState,
  type TaskUsage,
  taskStates,
} from '@pilothouse/sdk/internal';

/** What tasks that were submitted together have in common. */
export interface TaskGroup {
  readonly template: ResolvedTaskEntry;
  readonly env: Record<string, string>;
  /** Absolute folder of the caller. */
  readonly cwd: string;
  /** Name of the caller. */
  readonly owner: Origin['name'];
}

/** What is known of a task set from its beginning on; stands so in the log. */
export interface SetFacts extends Omit<TaskGroup, 'template'> {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly description: ResolvedTaskSetDescription;
  /** Id of the pilot that the template names. */
  readonly pilot: string | null;
  readonly retryOf: string | null;
}

/** What a task of an earlier set came to, taken over instead of running the same again. */
export interface TakenOver {
  readonly from: string;
  readonly pilot: string | null;
  readonly exitCode: number | null;
  readonly output: OutputRange | null;
  readonly value: Payload | null;
  readonly usage: TaskUsage | null;
}

/** A task as it is submitted: what goes to an agent, and what only the bridge needs to know. */
export interface SubmittedTask extends Omit<SpooledTask, 'entry'> {
  readonly entry: ResolvedTaskEntry;
  /** Id of the pilot that its description names, or that its services run on. */
  readonly named?: boolean | undefined;
  readonly retryOf?: string | undefined;
  readonly resumed?: TakenOver | undefined;
}

/** What most tasks never have. */
export interface Extra {
  reason?: Reason | null;
  error?: ErrorData | null;
  stderrTail?: string | null;
  value?: Payload | null;
  exception?: RemoteException | null;
  staging?: StagingReport[] | null;
  retryOf?: string;
  resumedFrom?: string;
}

/** What comes with a new state of a task; absent fields keep their last value. */
export interface TaskFacts {
  readonly state: TaskState;
  readonly attempt?: number | undefined;
  /** States that it was in only briefly before this one, with when it entered them. */
  readonly passed?: readonly (readonly [TaskState, string])[] | undefined;
  readonly reason?: Reason | null | undefined;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly stderrTail?: string | undefined;
  readonly output?: OutputRange | undefined;
  readonly error?: ErrorData | undefined;
  readonly placement?: Placement | undefined;
  readonly usage?: TaskUsage | undefined;
  readonly staging?: StagingReport[] | undefined;
  readonly value?: Payload | undefined;
  readonly exception?: RemoteException | undefined;
}

/** Number of each state, the order of the state machine. */
export const STATE_NUMBERS = Object.fromEntries(taskStates.states.map((state, index) => [state, index])) as Readonly<
  Record<TaskState, number>
>;
const FIRST_FINAL = STATE_NUMBERS.DONE;
/** For each state the states that can still come after it, as bits. */
const REACH = taskStates.states.map((from) =>
  taskStates.states.reduce((bits, to, index) => (taskStates.canReach(from, to) ? bits | (1 << index) : bits), 0),
);

export function stateOf(number: number): TaskState {
  return taskStates.states[number] ?? 'NEW';
}

export function isFinalNumber(number: number): boolean {
  return number >= FIRST_FINAL;
}

export function reaches(from: number, to: number): boolean {
  return ((REACH[from] ?? 0) & (1 << to)) !== 0;
}

/** How a set counts a state. */
export type Phase = 'waiting' | 'running' | 'done' | 'failed' | 'canceled';
const PHASES: readonly Phase[] = taskStates.states.map((state) => {
  if (state === 'DONE') return 'done';
  if (state === 'FAILED') return 'failed';
  if (state === 'CANCELED') return 'canceled';
  return state === 'NEW' || state === 'WAITING' || state === 'SCHEDULING' ? 'waiting' : 'running';
});

export function phaseOf(number: number): Phase {
  return PHASES[number] ?? 'waiting';
}

/** Column of the time at which a state was last entered; NEW has none, being when the task was made. */
export function timeColumn(number: number): number {
  return isFinalNumber(number) ? FIRST_FINAL - 1 : number - 1;
}
