export * from './batch-words.js';
export { renderBundle } from './bundle.js';
export * from './service-words.js';
export * from './task-words.js';
export * from './words.js';
