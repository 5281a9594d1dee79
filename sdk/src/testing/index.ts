/**
 * `@pilothouse/sdk/testing`: a session in memory, for tests of programs and panels.
 */
export { createTestSession, type TestControls, type TestSessionOptions } from './create-test-session.js';
export { testAnswer, testBatch, testInstance, testPilot, testService, testTask, testTaskSet } from './records.js';
export type { Script } from './script.js';
