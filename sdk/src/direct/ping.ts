import { PilothouseError } from '../errors/index.js';
import { Connection, type Pong } from './connection.js';
import type { Target } from './target.js';

/** Milliseconds. */
const TIMEOUT = 5000;

/**
 * Asks a service how it is, over a connection of its own.
 *
 * @param options - `timeout` in milliseconds, connecting included; `methods`: ask also what it can do
 * @throws PilothouseError TIMEOUT, SERVICE_UNREACHABLE, AUTHENTICATION_FAILED; or the reason of `signal`
 * @example
 * ```ts
 * const { ok, text } = await ping({ address: 'tcp://127.0.0.1:41233', serverKey, token, name: 'dose-response' });
 * ```
 */
export async function ping(
  target: Target,
  { timeout = TIMEOUT, signal, methods = false }: { timeout?: number; signal?: AbortSignal; methods?: boolean } = {},
): Promise<Pong> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const message = `${target.name} did not answer a ping within ${timeout} ms.`;
    late.abort(new PilothouseError('TIMEOUT', message, { ids: target.ids, hint: 'Look at its log.' }));
  }, timeout);
  const connection = new Connection(target, { timeout });
  try {
    return await connection.ping({
      methods,
      signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
    });
  } finally {
    clearTimeout(timer);
    connection.close();
  }
}
