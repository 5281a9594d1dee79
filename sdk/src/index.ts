/**
 * `@pilothouse/sdk`: types, states, errors and units; runs anywhere. Connect with `@pilothouse/sdk/node` or
 * `@pilothouse/sdk/browser`.
 */
export {
  type AsyncIterableOptions,
  type CountedIterable,
  toAsyncIterable,
} from './client/streams/to-async-iterable.js';
export type * from './client/types.js';
export * from './errors/index.js';
export { defineFunction } from './functions/define-function.js';
export type { StandardSchema } from './functions/standard-schema.js';
export type {
  DefinedFunction,
  FunctionDefinition,
  FunctionLocation,
  FunctionOptions,
  MapItem,
} from './functions/types.js';
export { isId, newId, shortId } from './ids/ids.js';
export type * from './schemas/index.js';
export { VIEW_MIME } from './schemas/view.js';
export { defineService } from './service-definition/define-service.js';
export { NdArray, type TypedArray } from './service-definition/nd-array.js';
export type * from './service-definition/types.js';
export * from './states/index.js';
export { type Duration, durationSchema, formatSeconds, toSeconds } from './units/duration.js';
export { formatBytes, type Size, sizeSchema, toBytes } from './units/size.js';
