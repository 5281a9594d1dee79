import { PilothouseError } from '../errors/index.js';
import type { Endpoint } from '../schemas/service-record.js';
import { Connection, type Pong } from './connection.js';
import { type Target, targetOf } from './target.js';

/** Milliseconds. */
const TIMEOUT = 5000;

/**
 * Asks a service how it is, over a connection of its own.
 *
 * @param where - the instance, or its endpoint: then its token is read from the key file
 * @param options - `timeout` in milliseconds, connecting included; `methods`: ask also what it can do
 * @throws PilothouseError TIMEOUT, SERVICE_UNREACHABLE, AUTHENTICATION_FAILED; or the reason of `signal`
 * @example
 * ```ts
 * const { ok, text } = await ping({ address: 'tcp://127.0.0.1:41233', serverKey, token, name: 'dose-response' });
 * ```
 */
export async function ping(
  where: Target | Endpoint,
  { timeout = TIMEOUT, signal, methods = false }: { timeout?: number; signal?: AbortSignal; methods?: boolean } = {},
): Promise<Pong> {
  const target = 'address' in where ? where : await targetOf(where, { name: `The service at ${where.url}` });
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
