/**
 * `@pilothouse/sdk/browser`: connecting from a page, through whatever relays to the unix socket.
 */
export * from '../index.js';
export { type BrowserOptions, connectBrowser } from './connect-browser.js';
