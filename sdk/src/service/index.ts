/**
 * `@pilothouse/sdk/service`: serving a service of one's own over ZeroMQ. Node only.
 */

export { defineService } from '../service-definition/define-service.js';
export { NdArray, type TypedArray } from '../service-definition/nd-array.js';
export type { DefinedService, MethodDefinition, MethodDefinitions } from '../service-definition/types.js';
export { serve } from './serve.js';
export type {
  BatchContext,
  BatchHandler,
  BatchOptions,
  CallContext,
  Handler,
  HandlerTable,
  MethodHandler,
  RunOptions,
  Served,
  ServeOptions,
} from './types.js';
