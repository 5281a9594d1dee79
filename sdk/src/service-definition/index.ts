export * from './check.js';
export { defineService } from './define-service.js';
export type * from './direct.js';
export { type JsonSchema, type MethodValidator, methodsOf, validatorFor } from './json-schema.js';
export { NdArray, type TypedArray } from './nd-array.js';
export * from './types.js';
