import { readFile } from 'node:fs/promises';
import { ReconnectingConnector } from '../client/connection/reconnecting.js';
import { LiveSession } from '../client/session.js';
import type { CallOptions, Session } from '../client/types.js';
import { VERSION } from '../client/version.js';
import { dialLocal } from './dial.js';
import { LazyDirectCaller } from './direct-caller.js';
import { originOf } from './origin.js';
import { locate } from './paths.js';

/** How to connect. */
export interface ConnectOptions extends CallOptions {
  /** Whose things these are; default: the notebook's path, or the script's. Outlives restarts of the kernel. */
  readonly name?: string | undefined;
  /** State root; default: `$PILOTHOUSE_HOME`, else `~/.pilothouse`. */
  readonly home?: string | undefined;
  /** Takes over from a Pilothouse that runs for you on another host; it ends then. Default: `PILOTHOUSE_TAKE_OVER=1`. */
  readonly takeOver?: boolean | undefined;
}

/**
 * Finds or starts the user's Pilothouse and connects to it.
 *
 * @param options - `timeout` is for connecting alone, default 60 s
 * @throws PilothouseError LAUNCHER_MISSING, BRIDGE_START_FAILED, BRIDGE_UNREACHABLE, PERMISSION_DENIED,
 *   OWNED_ELSEWHERE, UNSAFE_PATH or VERSION_MISMATCH; or the reason of `signal`
 * @example
 * ```ts
 * const session = await connect();
 * const pilot = await session.pilots.ensure('demo', { cores: 2, runtime: '1h' });
 * await session.close(); // ends nothing
 * ```
 */
export async function connect({ name, home, takeOver, ...limits }: ConnectOptions = {}): Promise<Session> {
  const origin = originOf(name);
  const connector = new ReconnectingConnector({
    dial: dialLocal(locate(home), takeOver ?? process.env.PILOTHOUSE_TAKE_OVER === '1'),
    client: `sdk/${VERSION} ${origin().kind}`,
  });
  const session = new LiveSession(connector, origin, {
    readFile: (path) => readFile(path, 'utf8'),
    direct: new LazyDirectCaller(),
  });
  try {
    await session.ready(limits);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
