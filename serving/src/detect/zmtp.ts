import { connect } from 'node:net';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { ConnectTimeout, connectionError } from '../adapters/http/failures.js';

/** Milliseconds for the whole look. */
const TIMEOUT = 5_000;
const LENGTH = 64;
/** Where the name of the mechanism stands in a greeting. */
const MECHANISM = { from: 12, to: 32 };

/** How a ZeroMQ server lets its clients in: `NULL` (anybody), `CURVE` (who has its key), `PLAIN`. */
export type Mechanism = string;

/**
 * Reads the greeting with which every ZeroMQ server begins, by which it says how it lets clients in.
 *
 * @returns null where what listens there does not speak ZeroMQ
 * @throws PilothouseError SERVICE_UNREACHABLE; the reason of the signal
 * @see https://rfc.zeromq.org/spec/23/
 */
export async function greeting(url: string, name: string, signal: AbortSignal): Promise<Mechanism | null> {
  signal.throwIfAborted();
  const { protocol, hostname, port, host } = new URL(url);
  const path = protocol === 'ipc:' ? url.replace(/^ipc:\/\//, '') : null;
  const socket = connect(path === null ? { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) } : { path });
  const { promise, resolve, reject } = Promise.withResolvers<Mechanism | null>();
  const abort = (): void => reject(signal.reason);
  let connected = false;
  let received = Buffer.alloc(0);
  signal.addEventListener('abort', abort, { once: true });
  socket.setTimeout(TIMEOUT, () => {
    if (connected) resolve(null);
    else reject(connectionError(new ConnectTimeout(TIMEOUT), { name, host: path ?? host, secure: false }));
  });
  socket.once('connect', () => {
    connected = true;
    socket.write(ours());
  });
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    if (received[0] !== 0xff) resolve(null);
    else if (received.length >= LENGTH) resolve(mechanismIn(received));
  });
  socket.once('close', () => resolve(null));
  // Stays on: a socket that is torn down late must not end the process.
  socket.on('error', (error) => {
    if (connected) resolve(null);
    else reject(connectionError(error, { name, host: path ?? host, secure: false }));
  });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

/**
 * The beginning of our own greeting, up to the major version: the other side answers with the whole of its own. With a
 * mechanism that is not its own it would close instead.
 */
function ours(): Buffer {
  return Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3]);
}

function mechanismIn(bytes: Buffer): Mechanism {
  return bytes.subarray(MECHANISM.from, MECHANISM.to).toString('latin1').replace(/\0+$/, '');
}

/** What listens there speaks something else. */
export function notZeroMq(url: string, name: string): PilothouseError {
  return new PilothouseError('API_NOT_RECOGNISED', `${name}: what listens at ${url} does not speak ZeroMQ`, {
    hint: 'Check the port; where it speaks HTTP, write http:// instead.',
    field: 'url',
  });
}
