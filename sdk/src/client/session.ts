import { firstValueFrom, type Observable } from 'rxjs';
import type { WatchBatch } from '../contract/index.js';
import type { Check, EngineReport, Origin, Target } from '../schemas/index.js';
import type { DirectCaller } from '../service-definition/direct.js';
import { Caller } from './caller.js';
import { CallPool } from './calls/call-pool.js';
import { answersOf } from './collections/answers.js';
import { batchesOf } from './collections/batches.js';
import { credentialsOf } from './collections/credentials.js';
import { pilotsOf } from './collections/pilots.js';
import { servicesOf } from './collections/services.js';
import { tasksOf } from './collections/tasks.js';
import { viewsOf } from './collections/views.js';
import { closedError } from './connection/closed-error.js';
import type { Connector } from './connection/connector.js';
import { abortable, pause } from './deadline.js';
import { decodeError } from './decode-error.js';
import type { CallingCore, Core } from './handles/core.js';
import { onAbort } from './on-abort.js';
import type { ReadFile } from './payloads.js';
import { MemberWatch } from './picture/member-watch.js';
import { PictureStore } from './picture/picture-store.js';
import { creditStream } from './streams/credit-stream.js';
import type {
  Answers,
  Batches,
  CallOptions,
  Connection,
  Credentials,
  Picture,
  Pilots,
  Services,
  Session,
  Tasks,
  Views,
} from './types.js';

/** After the bridge refused to show its picture, for a reason that a new connection does not cure. */
const WATCH_AGAIN_MS = 5_000;
/** The bridge may have to be started first. */
const CONNECT = '60s';

/** What a program can do beside talking to the bridge. */
export interface Local {
  /** Reads files that workers see too. */
  readonly readFile?: ReadFile | null;
  /** Calls services of one's own straight at their instances; closed with the session. */
  readonly direct?: DirectCaller | null;
}

/** {@link Session} over any connector. */
export class LiveSession implements Session {
  readonly pilots: Pilots;
  readonly tasks: Tasks;
  readonly services: Services;
  readonly answers: Answers;
  readonly batches: Batches;
  readonly credentials: Credentials;
  readonly views: Views;
  readonly #core: CallingCore;
  readonly #closing = new AbortController();
  readonly #origin: () => Origin;
  readonly #watching: Promise<void>;

  /** @param local - what this program can do beside talking to the bridge; nothing, in browsers */
  constructor(connector: Connector, origin: () => Origin, { readFile = null, direct = null }: Local = {}) {
    this.#origin = origin;
    const caller = new Caller(connector, origin);
    const closed = this.#closing.signal;
    this.views = viewsOf(caller, connector, closed);
    const store = new PictureStore(() => connector.state.value.bridge?.epoch ?? 0);
    const members = new MemberWatch(connector, store, closed);
    const handles: Core = { connector, caller, store, members, views: this.views, readFile, direct, closed };
    const core: CallingCore = { ...handles, calls: new CallPool(handles) };
    this.#core = core;
    this.pilots = pilotsOf(core);
    this.tasks = tasksOf(core);
    this.services = servicesOf(core);
    this.answers = answersOf(core);
    this.batches = batchesOf(core);
    this.credentials = credentialsOf(core);
    this.#watching = this.#watch();
  }

  get name(): string {
    return this.#origin().name;
  }

  get connection(): Connection {
    return this.#core.connector.state.value;
  }

  get connection$(): Observable<Connection> {
    return this.#core.connector.state.asObservable();
  }

  get picture(): Picture {
    return this.#core.store.picture;
  }

  get picture$(): Observable<Picture> {
    return this.#core.store.picture$;
  }

  /** Resolves when the connection stands and the whole picture is there. */
  async ready(options?: CallOptions): Promise<void> {
    await this.#core.caller.call('connecting', { timeout: CONNECT, ...options }, (_api, signal) =>
      abortable(firstValueFrom(this.picture$), signal),
    );
  }

  engines(options?: CallOptions): Promise<EngineReport[]> {
    return this.#core.caller.call('listing engines', options, (api, signal) => api.engines.list({}, { signal }));
  }

  async doctor(options?: CallOptions): Promise<Check[]> {
    const { checks } = await this.#core.caller.call('the checks', options, (api, signal) =>
      api.system.doctor({}, { signal }),
    );
    return checks;
  }

  async forget(target: Target, options?: CallOptions): Promise<void> {
    const { kind, id } = target;
    await this.#core.caller.call(`removing ${id}`, options, (api, signal) =>
      api.system.forget({ kind, id }, { signal }),
    );
  }

  reconnect(): void {
    this.#core.connector.reconnect();
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      await this.#core.calls.close(closedError());
      this.#closing.abort(closedError());
      this.#core.store.close();
      this.#core.direct?.close();
    }
    await this.#core.connector.close();
    await this.#watching;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Keeps the picture up to date for as long as the session lives. Never rejects. */
  async #watch(): Promise<void> {
    const { connector, store, closed } = this.#core;
    let after: { epoch: number; seq: number } | undefined;
    while (!closed.aborted) {
      try {
        const batches = creditStream<WatchBatch>(
          connector,
          (api, flow, signal) => api.system.watch({ ...flow, ...(after ? { after } : {}) }, { signal }),
          { signal: closed, finished: () => false },
        );
        for await (const batch of batches) {
          store.apply(batch);
          after = { epoch: batch.epoch, seq: batch.seq };
        }
      } catch (error) {
        if (closed.aborted) return;
        // The connection's own state says what is wrong with it; here only the next try matters.
        if (decodeError(error).code === 'CLOSED') return;
        await this.#untilWorthwhile(closed);
      }
    }
  }

  /** Until the connection stands (again), and some time more, so that a bridge that refuses is not asked without end. */
  async #untilWorthwhile(closed: AbortSignal): Promise<void> {
    if (this.connection.state === 'CONNECTED') return pause(WATCH_AGAIN_MS, closed);
    await new Promise<void>((resolve) => {
      const subscription = this.connection$.subscribe({
        next: ({ state }) => {
          if (state === 'CONNECTED') resolve();
        },
        complete: resolve,
      });
      onAbort(closed, () => {
        subscription.unsubscribe();
        resolve();
      });
    });
  }
}
