/**
 * For bridge, agent and JupyterLab extension only: schemas, contract and wire formats.
 * Not part of the public interface; it may change with any release.
 */
export * from './contract/index.js';
export * from './errors/index.js';
export { plainWords } from './errors/plain-words.js';
export * from './ids/ids.js';
export * from './routing/index.js';
export * from './schemas/index.js';
export { type Asked, newAnswerRecord } from './schemas/new-answer.js';
export * from './states/index.js';
export * from './units/duration.js';
export * from './units/size.js';
export * from './views/index.js';
export * from './wire/index.js';
