export * from './gateway/directory.js';
export * from './types.js';
