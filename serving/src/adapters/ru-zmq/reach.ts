import { connect } from 'node:net';
import type { Target } from '../../types.js';
import { ConnectTimeout, connectionError } from '../http/failures.js';

/** Milliseconds in which a connection must be there. */
const CONNECT_TIMEOUT = 10_000;

/**
 * Finds out whether anything listens at a ZeroMQ address, and how long connecting takes: ZeroMQ itself would go on trying
 * for ever, and not say why.
 *
 * @throws PilothouseError SERVICE_UNREACHABLE; the reason of the signal
 */
export async function connectTime({ endpoint, name }: Target, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const url = new URL(endpoint.url);
  const path = url.protocol === 'ipc:' ? endpoint.url.replace(/^ipc:\/\//, '') : null;
  const host = path ?? url.host;
  const started = performance.now();
  const socket = connect(
    path === null ? { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) } : { path },
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = (): void => reject(signal.reason);
  const fail = (error: Error): void => reject(connectionError(error, { name, host, secure: false }));
  signal.addEventListener('abort', abort, { once: true });
  socket.setTimeout(CONNECT_TIMEOUT, () => fail(new ConnectTimeout(CONNECT_TIMEOUT)));
  socket.once('connect', () => resolve());
  // Stays on: a socket that is torn down late must not end the process.
  socket.on('error', fail);
  try {
    await promise;
    return performance.now() - started;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}
