/**
 * What bridge and agent share: wire formats, states, errors, units. Unlike `./internal` it leaves the calls out, so that
 * an agent, which must be running within a moment, loads no RPC library.
 * Not part of the public interface; it may change with any release.
 */
export * from './errors/index.js';
export * from './routing/index.js';
export * from './schemas/answer.js';
export * from './schemas/batch.js';
export type { Contact, Reason } from './schemas/common.js';
export * from './schemas/function.js';
export type { PilotUsage } from './schemas/pilot.js';
export * from './schemas/probe.js';
export * from './schemas/routing.js';
export * from './schemas/service.js';
export * from './schemas/service-record.js';
export * from './schemas/staging.js';
export * from './schemas/task.js';
export * from './states/index.js';
export * from './units/duration.js';
export * from './units/size.js';
export * from './wire/index.js';
