export * from './adapters/index.js';
export * from './detect/index.js';
export {
  BalancedRoute,
  type RouteDescription,
  type RouteInstance,
  type RouteOptions,
} from './gateway/balanced-route.js';
export * from './gateway/directory.js';
export { type Access, Gateway, type GatewayOptions } from './gateway/gateway.js';
export { dataUrl } from './gateway/images.js';
export { sendError } from './gateway/replies.js';
export * from './types.js';
