import { PilothouseError } from '@pilothouse/sdk/shared';
import type { Target } from '../../types.js';

/**
 * Sends one message and waits for its reply, on a socket of its own: a REQ socket that has lost its reply is of no more
 * use, and one that is given up must not keep what it wanted to send.
 *
 * @throws PilothouseError BACKEND_FAILED where the server goes away or answers something else; the reason of the signal
 */
export async function exchange(
  target: Target,
  message: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  onStart: () => void,
): Promise<unknown> {
  const [{ Request }, { decode, encode }] = await Promise.all([import('zeromq'), import('@msgpack/msgpack')]);
  signal.throwIfAborted();
  const socket = new Request({ linger: 0 });
  const { promise: lost, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  socket.events.on('disconnect', () => reject(gone(target)));
  try {
    socket.connect(target.endpoint.url);
    const talk = async (): Promise<Buffer> => {
      await socket.send(encode(message));
      const [reply] = await socket.receive();
      return reply ?? Buffer.alloc(0);
    };
    const bytes = await Promise.race([talk(), lost]);
    onStart();
    return read(target, () => decode(bytes));
  } finally {
    signal.removeEventListener('abort', abort);
    socket.close();
  }
}

function read(target: Target, decode: () => unknown): unknown {
  try {
    return decode();
  } catch (cause) {
    throw new PilothouseError('BACKEND_FAILED', `${target.name} sent something that is no answer`, {
      hint: 'Check that a radical.utils server answers there.',
      cause,
    });
  }
}

function gone({ name, endpoint }: Target): PilothouseError {
  return new PilothouseError('BACKEND_FAILED', `${name} at ${endpoint.url} went away before it answered`, {
    hint: 'See its log, then ask again.',
  });
}
