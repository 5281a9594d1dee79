import { PilothouseError } from '../../errors/index.js';
import { PROTOCOL } from '../../schemas/index.js';
import { abortable, pause } from '../deadline.js';
import { decodeError } from '../decode-error.js';
import { onAbort } from '../on-abort.js';
import { StateStream } from '../streams/state-stream.js';
import type { Connection } from '../types.js';
import { VERSION } from '../version.js';
import { backOff } from './back-off.js';
import { closedError } from './closed-error.js';
import type { Connector, Link } from './connector.js';
import type { Dial } from './socket.js';
import { SocketLink } from './socket-link.js';

/** For one attempt: the bridge may have to be started first. */
const ATTEMPT_MS = 45_000;
const HELLO_MS = 10_000;
/** The bridge pings; browsers do not show pings, so silence alone proves nothing: after this long we ask. */
const SILENCE_MS = 20_000;
const PROBE_MS = 10_000;
/** What a retry cannot cure by itself is looked at again seldom, in case somebody has cured it. */
const CURE_MS = 30_000;

interface Waiter {
  readonly resolve: (link: Link) => void;
  readonly reject: (error: unknown) => void;
}

export interface ReconnectingOptions {
  readonly dial: Dial;
  /** Tells the bridge who connects, for its log: `sdk/0.1.0 deno`. */
  readonly client: string;
  /** milliseconds: silence after which a sign of life is asked for, and how long that may take */
  readonly patience?: { readonly silence: number; readonly probe: number } | undefined;
}

/** Keeps one socket to the bridge open: opens it again with growing delays, and notices when the other side is mute. */
export class ReconnectingConnector implements Connector {
  readonly state = new StateStream<Connection>({ state: 'CONNECTING', error: null, bridge: null });
  readonly #options: ReconnectingOptions;
  readonly #closing = new AbortController();
  readonly #waiters = new Set<Waiter>();
  readonly #done: Promise<void>;
  #link: SocketLink | null = null;
  #failure: PilothouseError | null = null;
  #wake: () => void = () => undefined;

  constructor(options: ReconnectingOptions) {
    this.#options = options;
    this.#done = this.#run();
  }

  link(signal: AbortSignal): Promise<Link> {
    if (this.#closing.signal.aborted) return Promise.reject(closedError());
    if (this.#link && this.#link.lost === null) return Promise.resolve(this.#link);
    if (this.#failure && !this.#failure.retryable) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      let forget = (): void => undefined;
      const leave = () => {
        this.#waiters.delete(waiter);
        forget();
      };
      const waiter: Waiter = {
        resolve: (link) => {
          leave();
          resolve(link);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      forget = onAbort(signal, () => waiter.reject(signal.reason));
    });
  }

  reconnect(): void {
    this.#wake();
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort(closedError());
      this.#link?.drop(closedError());
      for (const waiter of [...this.#waiters]) waiter.reject(closedError());
      this.state.next({ ...this.state.value, state: 'CLOSED', error: null });
      this.state.complete();
      this.#wake();
    }
    await this.#done;
  }

  /** Never rejects: what goes wrong becomes the connection's state. */
  async #run(): Promise<void> {
    const delay = backOff();
    const closing = this.#closing.signal;
    while (!closing.aborted) {
      try {
        const link = await this.#open();
        delay.reset();
        const lost = await this.#watchOver(link);
        if (!closing.aborted) this.#failed(lost);
      } catch (error) {
        if (!closing.aborted) this.#failed(decodeError(error));
      }
      if (!closing.aborted) await this.#rest(delay.next());
    }
  }

  async #open(): Promise<SocketLink> {
    const attempt = new AbortController();
    const forget = onAbort(this.#closing.signal, () => attempt.abort(this.#closing.signal.reason));
    const timer = setTimeout(() => attempt.abort(unreachable()), ATTEMPT_MS);
    try {
      const dialed = await this.#options.dial(attempt.signal);
      const link = new SocketLink(dialed);
      try {
        const input = { protocol: PROTOCOL, version: VERSION, client: this.#options.client };
        const bridge = await within(HELLO_MS, link.api.system.hello(input, { signal: attempt.signal }));
        attempt.signal.throwIfAborted();
        this.#link = link;
        this.#failure = null;
        this.state.next({ state: 'CONNECTED', error: null, bridge });
        for (const waiter of [...this.#waiters]) waiter.resolve(link);
        return link;
      } catch (error) {
        const failure = link.lost ?? decodeError(error);
        link.drop(failure);
        throw failure;
      }
    } finally {
      clearTimeout(timer);
      forget();
    }
  }

  /** Waits for the end of a link, asking for a sign of life whenever it has been silent for long. */
  async #watchOver(link: SocketLink): Promise<PilothouseError> {
    const ended = new AbortController();
    const closed = link.closed.finally(() => ended.abort());
    const { silence, probe } = this.#options.patience ?? { silence: SILENCE_MS, probe: PROBE_MS };
    while (link.lost === null) {
      await pause(Math.max(silence - link.silence, 0), ended.signal);
      if (link.lost !== null || link.silence < silence) continue;
      try {
        const input = { protocol: PROTOCOL, version: VERSION, client: this.#options.client };
        await within(probe, link.api.system.hello(input, { signal: ended.signal }));
      } catch (error) {
        link.drop(
          new PilothouseError('CONNECTION_LOST', 'Pilothouse does not answer any more.', {
            hint: 'The connection is being opened again; what runs goes on meanwhile.',
            cause: error,
          }),
        );
      }
    }
    return closed;
  }

  #failed(error: PilothouseError): void {
    this.#link = null;
    this.#failure = error;
    const { code, message, hint } = error;
    this.state.next({ state: 'RECONNECTING', error: { code, message, hint }, bridge: this.state.value.bridge });
    if (error.retryable) return;
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  /** Waits before the next attempt; a version that does not fit stays so until somebody asks to try again. */
  async #rest(milliseconds: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    const failure = this.#failure;
    if (failure?.code === 'VERSION_MISMATCH') {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    } else {
      await pause(failure && !failure.retryable ? CURE_MS : milliseconds, woken.signal);
    }
    this.#wake = () => undefined;
  }
}

/** Ends the waiting for an answer of the bridge; a loss of the connection ends the call by itself. */
async function within<T>(milliseconds: number, call: Promise<T>): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(unreachable()), milliseconds);
  try {
    return await abortable(call, over.signal);
  } finally {
    clearTimeout(timer);
  }
}

function unreachable(): PilothouseError {
  return new PilothouseError('BRIDGE_UNREACHABLE', 'Pilothouse does not answer.', {
    hint: 'Run "pilothouse doctor" to see why; the connection is tried again meanwhile.',
  });
}
