/**
 * `@pilothouse/sdk/node`: connecting over the unix socket, from Node, tslab and Deno.
 */
export * from '../index.js';
export { type ConnectOptions, connect } from './connect.js';
