export * from './gateway/directory.js';
export * from './types.js';
//# sourceMappingURL=index.d.ts.map