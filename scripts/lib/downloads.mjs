// What went wrong when something was to be fetched, said so that the user knows which of the usual causes it is.
import { SetupError } from '../setup/progress.mjs';
import { CommandFailed } from './processes.mjs';

const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ERR_SOCKET_TIMEOUT|name resolution|Network is unreachable|Connection refused|Connection timed out|NewConnectionError|ReadTimeoutError|ProxyError/;

/**
 * Runs `work`; where it failed because a registry was not reached or the disk is full, throws a `SetupError` instead,
 * with what to do and the original as its cause.
 * @template T
 * @param {string} registry as users know it: "the npm registry"
 * @param {() => Promise<T>} work
 */
export async function download(registry, work) {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof CommandFailed)) throw cause;
    if (/ENOSPC|No space left on device/.test(cause.output)) {
      throw new SetupError(cause.message, { hint: 'The disk is full: free about 2 GB and start again.', cause });
    }
    if (UNREACHABLE.test(cause.output)) {
      const hint = `${registry} was not reached: check the network, or the proxy or mirror in its configuration, and start again.`;
      throw new SetupError(cause.message, { hint, cause });
    }
    throw cause;
  }
}
