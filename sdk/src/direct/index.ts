/**
 * `@pilothouse/sdk/direct`: calls of services of one's own straight at their instances, over ZeroMQ. Node only.
 */
export { NdArray, type TypedArray } from '../service-definition/nd-array.js';
export { Connection, type ConnectionCall, type ConnectionReply, type Load, type Pong } from './connection.js';
export { Connections } from './connections.js';
export { DirectCalls } from './direct-calls.js';
export { ping } from './ping.js';
export { SERVICE_PROTOCOL } from './protocol/limits.js';
export { type DirectInstance, ServiceClient, type ServiceClientOptions } from './service-client.js';
export { type Target, targetOf } from './target.js';
