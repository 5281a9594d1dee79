export * from './gateway/directory.js';
export * from './types.js';
//# sourceMappingURL=index.js.map