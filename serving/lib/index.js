export * from './gateway/directory.js';
export { Gateway } from './gateway/gateway.js';
export * from './types.js';
//# sourceMappingURL=index.js.map