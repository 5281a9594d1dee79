/**
 * `@pilothouse/sdk/notebook`: live things in cells, in tslab and Deno.
 */
export { show } from './show.js';
