import { ReconnectingConnector } from '../client/connection/reconnecting.js';
import type { Dial, WebSocketLike } from '../client/connection/socket.js';
import { abortable } from '../client/deadline.js';
import { LiveSession } from '../client/session.js';
import type { Session } from '../client/types.js';
import { VERSION } from '../client/version.js';
import { PilothouseError } from '../errors/index.js';

/** How a page connects. */
export interface BrowserOptions {
  /** URL of the relay, asked for each attempt: tokens change. */
  readonly url: () => string;
  /** Whose things these are: what the page submits belongs to this name. */
  readonly name: string;
  /** The class to use; default: the page's own. */
  readonly WebSocket?: (new (url: string) => WebSocketLike) | undefined;
  /**
   * Asked after an attempt that failed for what is wrong: a page sees only that its socket
   * did not open, while the server behind it knows why.
   */
  readonly diagnose?: ((signal: AbortSignal) => Promise<PilothouseError | null>) | undefined;
}

/**
 * Connects over the page's WebSocket. Returns at once; `session.connection$` tells how it stands, and calls wait for it.
 *
 * @example
 * ```ts
 * const session = connectBrowser({ url: () => `${settings.wsUrl}pilothouse/ws`, name: 'JupyterLab' });
 * ```
 */
export function connectBrowser({ url, name, WebSocket: given, diagnose }: BrowserOptions): Session {
  const dial: Dial = async (signal) => {
    const Socket = given ?? globalThis.WebSocket;
    const socket = new Socket(url());
    try {
      await abortable(opened(socket), signal);
      return { socket };
    } catch (error) {
      socket.close();
      signal.throwIfAborted();
      throw (await diagnose?.(signal)) ?? error;
    }
  };
  const connector = new ReconnectingConnector({ dial, client: `sdk/${VERSION} browser` });
  return new LiveSession(connector, () => ({ name, kind: 'browser', env: {} }));
}

function opened(socket: WebSocketLike): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    const fail = () =>
      reject(
        new PilothouseError('BRIDGE_UNREACHABLE', 'The connection to Pilothouse could not be opened.', {
          hint: 'Check that the Jupyter server runs and that you are still logged in; it is tried again meanwhile.',
        }),
      );
    socket.addEventListener('error', fail);
    socket.addEventListener('close', fail);
  });
}
