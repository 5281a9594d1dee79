import type { BridgeApi } from '../client/api.js';
import { closedError } from '../client/connection/closed-error.js';
import type { Connector, Link } from '../client/connection/connector.js';
import { StateStream } from '../client/streams/state-stream.js';
import type { Connection } from '../client/types.js';
import { PilothouseError } from '../errors/index.js';
import type { Hello } from '../schemas/index.js';

/** A connection without a socket, which a test can take away and give back. */
export class MemoryConnector implements Connector {
  readonly state: StateStream<Connection>;
  readonly #api: BridgeApi;
  readonly #hello: Hello;
  #link: MemoryLink | null;
  #waiters: { resolve(link: Link): void; reject(error: unknown): void }[] = [];
  #closed = false;

  constructor(api: BridgeApi, hello: Hello) {
    this.#api = api;
    this.#hello = hello;
    this.#link = new MemoryLink(api);
    this.state = new StateStream<Connection>({ state: 'CONNECTED', error: null, bridge: hello });
  }

  link(signal: AbortSignal): Promise<Link> {
    if (this.#closed) return Promise.reject(closedError());
    if (this.#link) return Promise.resolve(this.#link);
    const { error } = this.state.value;
    if (error) {
      const failure = new PilothouseError(error.code, error.message, { hint: error.hint });
      if (!failure.retryable) return Promise.reject(failure);
    }
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#waiters.push({ resolve, reject });
    });
  }

  /** Breaks the connection, as a crash of the bridge would, until {@link reconnect}. */
  disconnect(error = new PilothouseError('CONNECTION_LOST', 'The connection was taken away by the test.')): void {
    this.#link?.drop(error);
    this.#link = null;
    const { code, message, hint } = error;
    this.state.next({ state: 'RECONNECTING', error: { code, message, hint }, bridge: this.#hello });
  }

  reconnect(): void {
    if (this.#closed || this.#link) return;
    this.#link = new MemoryLink(this.#api);
    this.state.next({ state: 'CONNECTED', error: null, bridge: this.#hello });
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(this.#link);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#link?.drop(closedError());
    this.#link = null;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(closedError());
    this.state.next({ ...this.state.value, state: 'CLOSED', error: null });
    this.state.complete();
  }
}

class MemoryLink implements Link {
  readonly api: BridgeApi;
  readonly closed: Promise<PilothouseError>;
  #lost: PilothouseError | null = null;
  #settle: (error: PilothouseError) => void = () => undefined;

  constructor(api: BridgeApi) {
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.api = severable(api, this);
  }

  get lost(): PilothouseError | null {
    return this.#lost;
  }

  drop(reason: PilothouseError): void {
    if (this.#lost) return;
    this.#lost = reason;
    this.#settle(reason);
  }
}

/** Makes the streams of an API end with the link; its plain calls are answered at once. */
function severable(api: BridgeApi, link: Link): BridgeApi {
  return {
    ...api,
    system: { ...api.system, watch: async (input, options) => sever(await api.system.watch(input, options), link) },
    answers: {
      ...api.answers,
      follow: async (input, options) => sever(await api.answers.follow(input, options), link),
    },
    tasks: { ...api.tasks, rows: async (input, options) => sever(await api.tasks.rows(input, options), link) },
    sets: { ...api.sets, results: async (input, options) => sever(await api.sets.results(input, options), link) },
    views: { ...api.views, join: async (input, options) => sever(await api.views.join(input, options), link) },
  };
}

async function* sever<T>(iterator: AsyncIterator<T>, link: Link): AsyncGenerator<T, void, void> {
  const lost = link.closed.then((error) => {
    throw error;
  });
  // Raced below as long as somebody reads; afterwards nobody waits for it.
  lost.catch(() => undefined);
  for (;;) {
    if (link.lost) throw link.lost;
    const { value, done } = await Promise.race([iterator.next(), lost]);
    if (done) return;
    yield value;
  }
}
