export * from './gateway/directory.js';
export { type Access, Gateway, type GatewayOptions } from './gateway/gateway.js';
export * from './types.js';
//# sourceMappingURL=index.d.ts.map