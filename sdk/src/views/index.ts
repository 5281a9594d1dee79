export { renderBundle } from './bundle.js';
export * from './words.js';
