/**
 * What bridge and agent share: wire formats, states, errors, units. Unlike `./internal` it leaves the calls out, so that
 * an agent, which must be running within a moment, loads no RPC library.
 * Not part of the public interface; it may change with any release.
 */
export * from './errors/index.js';
export type { Reason } from './schemas/common.js';
export * from './schemas/function.js';
export type { PilotUsage } from './schemas/pilot.js';
export type { Bootstrap, Endpoint, ProbeResult } from './schemas/service.js';
export * from './schemas/staging.js';
export * from './schemas/task.js';
export * from './states/index.js';
export * from './units/duration.js';
export * from './units/size.js';
export * from './wire/index.js';
