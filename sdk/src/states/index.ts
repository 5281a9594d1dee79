import { z } from 'zod';
import { stateMachine } from './machine.js';

export { type StateMachine, stateMachine } from './machine.js';

/** States of a pilot. */
export const pilotStates = stateMachine({
  NEW: ['QUEUED', 'STARTING', 'FAILED', 'CANCELED'],
  QUEUED: ['STARTING', 'ACTIVE', 'DRAINING', 'FAILED', 'CANCELED'],
  STARTING: ['ACTIVE', 'DRAINING', 'FAILED', 'CANCELED'],
  ACTIVE: ['DRAINING', 'DONE', 'FAILED', 'CANCELED'],
  DRAINING: ['DONE', 'FAILED', 'CANCELED'],
  DONE: [],
  FAILED: [],
  CANCELED: [],
});
export type PilotState = (typeof pilotStates.states)[number];

/** States of a task. An automatic retry goes back to WAITING with one more `attempt`, never through FAILED. */
export const taskStates = stateMachine({
  NEW: ['WAITING', 'SCHEDULING', 'FAILED', 'CANCELED'],
  WAITING: ['SCHEDULING', 'FAILED', 'CANCELED'],
  SCHEDULING: ['WAITING', 'STAGING_INPUT', 'LAUNCHING', 'FAILED', 'CANCELED'],
  STAGING_INPUT: ['LAUNCHING', 'WAITING', 'FAILED', 'CANCELED'],
  LAUNCHING: ['RUNNING', 'WAITING', 'FAILED', 'CANCELED'],
  RUNNING: ['STAGING_OUTPUT', 'WAITING', 'DONE', 'FAILED', 'CANCELED'],
  STAGING_OUTPUT: ['DONE', 'WAITING', 'FAILED', 'CANCELED'],
  DONE: [],
  FAILED: [],
  CANCELED: [],
});
export type TaskState = (typeof taskStates.states)[number];

/** States of a task set: FAILED when a task of it failed, CANCELED when it was canceled and none failed. */
export const taskSetStates = stateMachine({
  RUNNING: ['DONE', 'FAILED', 'CANCELED'],
  DONE: [],
  FAILED: [],
  CANCELED: [],
});
export type TaskSetState = (typeof taskSetStates.states)[number];

/** States of one running copy of a service. */
export const instanceStates = stateMachine({
  NEW: ['WAITING', 'SCHEDULING', 'STOPPING', 'STOPPED', 'FAILED'],
  WAITING: ['SCHEDULING', 'STOPPING', 'STOPPED', 'FAILED'],
  SCHEDULING: ['WAITING', 'LAUNCHING', 'STOPPING', 'STOPPED', 'FAILED'],
  LAUNCHING: ['INITIALIZING', 'BACKOFF', 'STOPPING', 'STOPPED', 'FAILED'],
  INITIALIZING: ['READY', 'BACKOFF', 'STOPPING', 'STOPPED', 'FAILED'],
  READY: ['UNHEALTHY', 'BACKOFF', 'STOPPING', 'STOPPED', 'FAILED'],
  UNHEALTHY: ['READY', 'BACKOFF', 'STOPPING', 'STOPPED', 'FAILED'],
  BACKOFF: ['LAUNCHING', 'STOPPING', 'STOPPED', 'FAILED'],
  STOPPING: ['STOPPED', 'FAILED'],
  STOPPED: [],
  FAILED: [],
});
export type InstanceState = (typeof instanceStates.states)[number];

/** States of a service, which follow from its instances. */
export const serviceStates = stateMachine({
  STARTING: ['READY', 'DEGRADED', 'UNAVAILABLE', 'STOPPING', 'STOPPED', 'FAILED'],
  READY: ['DEGRADED', 'UNAVAILABLE', 'STOPPING', 'STOPPED', 'FAILED'],
  DEGRADED: ['READY', 'UNAVAILABLE', 'STOPPING', 'STOPPED', 'FAILED'],
  UNAVAILABLE: ['READY', 'DEGRADED', 'STOPPING', 'STOPPED', 'FAILED'],
  STOPPING: ['STOPPED', 'FAILED'],
  STOPPED: [],
  FAILED: [],
});
export type ServiceState = (typeof serviceStates.states)[number];

/** States of a request to a service; an answer is a request while it streams. */
export const requestStates = stateMachine({
  NEW: ['QUEUED', 'FAILED', 'CANCELED'],
  QUEUED: ['STREAMING', 'DONE', 'FAILED', 'CANCELED'],
  STREAMING: ['DONE', 'FAILED', 'CANCELED'],
  DONE: [],
  FAILED: [],
  CANCELED: [],
});
export type RequestState = (typeof requestStates.states)[number];

/** States of a batch of requests. It goes back to WAITING when its service is not ready or its node is lost. */
export const batchStates = stateMachine({
  NEW: ['WAITING', 'RUNNING', 'DONE', 'FAILED', 'CANCELED'],
  WAITING: ['RUNNING', 'DONE', 'FAILED', 'CANCELED'],
  RUNNING: ['WAITING', 'DONE', 'FAILED', 'CANCELED'],
  DONE: [],
  FAILED: [],
  CANCELED: [],
});
export type BatchState = (typeof batchStates.states)[number];

/** States of a session's connection to Pilothouse. */
export const connectionStates = stateMachine({
  CONNECTING: ['CONNECTED', 'RECONNECTING', 'CLOSED'],
  CONNECTED: ['RECONNECTING', 'CLOSED'],
  RECONNECTING: ['CONNECTED', 'CLOSED'],
  CLOSED: [],
});
export type ConnectionState = (typeof connectionStates.states)[number];

export const pilotStateSchema = z.enum(pilotStates.states);
export const taskStateSchema = z.enum(taskStates.states);
export const taskSetStateSchema = z.enum(taskSetStates.states);
export const instanceStateSchema = z.enum(instanceStates.states);
export const serviceStateSchema = z.enum(serviceStates.states);
export const requestStateSchema = z.enum(requestStates.states);
export const batchStateSchema = z.enum(batchStates.states);

/** Words that people see for states whose own name does not explain itself; every other state is shown as it is. */
export const stateWords: Readonly<Record<string, string>> = {
  DRAINING: 'finishing',
  UNHEALTHY: 'not answering',
};
