import { Dealer } from 'zeromq';
import { PilothouseError } from '../errors/index.js';
import type { Method } from '../schemas/service-record.js';
import { CallTable, type PendingReply } from './call-table.js';
import { clientKeys } from './client-keys.js';
import { decodeBody, encodeBody } from './protocol/body.js';
import {
  type FirstFrame,
  firstFrame,
  methodsSchema,
  parseServerFrame,
  plainCallHeader,
  type ServerHeader,
} from './protocol/headers.js';
import { HEARTBEAT, MAX_CALLS, SERVICE_PROTOCOL } from './protocol/limits.js';
import { Outbox } from './protocol/outbox.js';
import type { Target } from './target.js';

/** A call of one method. */
export interface ConnectionCall {
  readonly method: string;
  readonly input: unknown;
  /** Take the answer in pieces. */
  readonly stream?: boolean | undefined;
  /** Aborting it cancels the call at the service too. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the service has begun to answer. */
  readonly onStart?: (() => void) | undefined;
  /** Called for each piece in order; the next ones come when what it returns has resolved. */
  readonly onChunk?: ((data: unknown) => void | Promise<void>) | undefined;
}

/** What came back. */
export interface ConnectionReply {
  readonly value: unknown;
  /** Milliseconds that it waited at the service, and that its handler took. */
  readonly waited: number;
  readonly ran: number;
  /** What the service has to do now: calls taken and not answered, and those of them that wait. */
  readonly outstanding: number;
  readonly queued: number;
}

/** How a service is, by itself. */
export interface Pong {
  readonly ok: boolean;
  /** One sentence: "healthy", or what its health check says. */
  readonly text: string;
  readonly name: string;
  readonly version: string;
  readonly outstanding: number;
  readonly queued: number;
  readonly draining: boolean;
  readonly concurrency: number;
  /** null where they were not asked for. */
  readonly methods: Method[] | null;
}

/** What a service had to do when it last said so. */
export interface Load {
  readonly outstanding: number;
  readonly queued: number;
  readonly draining: boolean;
}

/** Milliseconds that connecting may take. */
const CONNECT_TIMEOUT = 10_000;
/** Turns of the event loop in which a socket would have been read if there were something. */
const TURNS = 3;
/** Pieces that may come ahead of their reader. */
const CREDITS = 64;

/**
 * One connection to one instance, from its first message to its loss: a lost one is never taken up again, so that nothing
 * which waited in a socket reaches another process later on. Calls run side by side.
 */
export class Connection {
  readonly target: Target;
  readonly #socket: Dealer;
  readonly #outbox: Outbox;
  readonly #calls: CallTable;
  readonly #connecting: NodeJS.Timeout;
  readonly #onLoad: ((load: Load) => void) | undefined;
  #welcome = false;
  #reached = false;
  /** Messages so far. */
  #read = 0;
  #lost: PilothouseError | undefined;

  /** @param options - `timeout`: milliseconds that connecting may take; `onLoad`: called when the service says how busy it is */
  constructor(
    target: Target,
    { timeout = CONNECT_TIMEOUT, onLoad }: { timeout?: number; onLoad?: ((load: Load) => void) | undefined } = {},
  ) {
    this.target = target;
    this.#onLoad = onLoad;
    this.#socket = new Dealer({
      ...clientKeys(),
      curveServerKey: target.serverKey,
      linger: 100,
      // Bounded by the calls and credits of the protocol instead; a full socket would hold back cancels too.
      sendHighWaterMark: 0,
      receiveHighWaterMark: 0,
      reconnectInterval: 100,
      heartbeatInterval: HEARTBEAT.interval,
      heartbeatTimeout: HEARTBEAT.timeout,
    });
    this.#outbox = new Outbox(this.#socket, (error) => this.#lose(this.#gone('cannot be written to', error)));
    this.#calls = new CallTable((id, credits) => this.#send({ t: 'grant', id, credits }));
    this.#connecting = setTimeout(() => this.#lose(this.#gone(`did not answer within ${timeout} ms`)), timeout);
    this.#watch();
    this.#socket.connect(target.address);
    this.#send({ t: 'hello', v: [SERVICE_PROTOCOL], token: target.token });
    void this.#receive();
  }

  /** Whether calls can be made; a connection that is still being made counts. */
  get usable(): boolean {
    return this.#lost === undefined;
  }

  /** Whether the service has answered at all. */
  get welcomed(): boolean {
    return this.#welcome;
  }

  /**
   * Resolves once the service has let it in. Calls need not wait for that.
   *
   * @throws PilothouseError SERVICE_UNREACHABLE, AUTHENTICATION_FAILED, VERSION_MISMATCH
   */
  async ready(): Promise<void> {
    if (!this.#welcome) await this.ping();
  }

  /** Calls that have not been answered. */
  get outstanding(): number {
    return this.#calls.size;
  }

  /**
   * Calls a method.
   *
   * @throws PilothouseError what the handler failed with (FUNCTION_RAISED and others), INVALID_DESCRIPTION, METHOD_NOT_FOUND,
   *   QUEUE_FULL, SERVICE_NOT_READY (finishing), AUTHENTICATION_FAILED, SERVICE_UNREACHABLE, STREAM_CUT; or the reason of
   *   `signal`
   */
  call({ method, input, stream = false, signal, onStart, onChunk }: ConnectionCall): Promise<ConnectionReply> {
    return new Promise<ConnectionReply>((resolve, reject) => {
      signal?.throwIfAborted();
      const body = encodeBody(input, `the input of ${method}`);
      const id = this.#open();
      const cancel = () => {
        this.#send({ t: 'cancel', id });
        this.#calls.fail(id, signal?.reason);
      };
      signal?.addEventListener('abort', cancel, { once: true });
      const pending: PendingReply = {
        onStart,
        onChunk,
        resolve: (header, value) => resolve({ ...header, value }),
        reject,
        done: () => signal?.removeEventListener('abort', cancel),
      };
      this.#calls.add(id, pending, stream ? CREDITS : 0);
      const header =
        stream || body.binaries !== undefined
          ? { t: 'call', id, method, credits: stream ? CREDITS : undefined, binaries: body.binaries }
          : plainCallHeader(id, method);
      this.#outbox.send([firstFrame(header, body.json), ...body.frames]);
    });
  }

  /** Asks how the service is; with `methods`, and what it can do. */
  ping({ methods = false, signal }: { methods?: boolean; signal?: AbortSignal | undefined } = {}): Promise<Pong> {
    return new Promise<Pong>((resolve, reject) => {
      signal?.throwIfAborted();
      const id = this.#open();
      const cancel = () => this.#calls.fail(id, signal?.reason);
      signal?.addEventListener('abort', cancel, { once: true });
      this.#calls.addPing(id, {
        resolve,
        reject,
        done: () => signal?.removeEventListener('abort', cancel),
      });
      this.#send({ t: 'ping', id, methods });
    });
  }

  /** Closes it; calls under way fail with CLOSED, and are canceled at the service. */
  close(): void {
    if (this.#lost === undefined) this.#send({ t: 'bye' });
    this.#lose(
      new PilothouseError('CLOSED', `The connection to ${this.target.name} was closed.`, { ids: this.target.ids }),
    );
  }

  #open(): number {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#calls.size >= MAX_CALLS) {
      throw new PilothouseError('QUEUE_FULL', `${MAX_CALLS} calls of ${this.target.name} are under way from here.`, {
        hint: 'Wait for some of them.',
        ids: this.target.ids,
      });
    }
    return this.#calls.nextId();
  }

  #send(header: object): void {
    if (this.#lost === undefined) this.#outbox.send([firstFrame(header)]);
  }

  #watch(): void {
    const { events } = this.#socket;
    events.on('connect', () => {
      this.#reached = true;
    });
    events.on('connect:retry', () => {
      if (!this.#reached) this.#lose(this.#gone('does not accept connections'));
    });
    events.on('disconnect', () => void this.#loseWhenRead(this.#disconnected()));
    for (const type of ['handshake:error:protocol', 'handshake:error:auth', 'handshake:error:other'] as const) {
      events.on(type, () => this.#lose(this.#keyRefused()));
    }
  }

  /** What had come before the end is read first: the last answer, or why there is none. */
  async #loseWhenRead(error: PilothouseError): Promise<void> {
    for (let read = -1; read !== this.#read; ) {
      read = this.#read;
      for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#lose(error);
  }

  #disconnected(): PilothouseError {
    return this.#welcome ? this.#gone('went away') : this.#keyRefused();
  }

  async #receive(): Promise<void> {
    try {
      for await (const [first, ...frames] of this.#socket) {
        this.#read += 1;
        const known = parseServerFrame(first);
        // What cannot be read belongs to no call; a service of a later version may say more than this one knows.
        if (known !== undefined) this.#handle(known, frames);
      }
    } catch (error) {
      this.#lose(this.#gone('cannot be read from', error));
    }
  }

  #handle({ header, body }: FirstFrame<ServerHeader>, frames: Buffer[]): void {
    switch (header.t) {
      case 'welcome':
        this.#welcome = true;
        clearTimeout(this.#connecting);
        return;
      case 'refused':
        this.#lose(PilothouseError.from({ ...header.error, ids: { ...header.error.ids, ...this.target.ids } }));
        return;
      case 'unknown':
        this.#lose(this.#gone('has been started anew'));
        return;
      case 'chunk':
        this.#calls.chunk(header.id, () => decodeBody(body, header.binaries, frames));
        return;
      case 'reply':
        this.#onLoad?.({ outstanding: header.outstanding, queued: header.queued, draining: false });
        this.#calls.reply(header, () => decodeBody(body, header.binaries, frames));
        return;
      case 'error':
        this.#onLoad?.({ outstanding: header.outstanding, queued: header.queued, draining: false });
        this.#calls.fail(
          header.id,
          PilothouseError.from({ ...header.error, ids: { ...this.target.ids, ...header.error.ids } }),
        );
        return;
      case 'pong':
        this.#calls.pong(header, body === undefined ? undefined : () => methodsSchema.parse(JSON.parse(body)));
        return;
      case 'load':
        this.#onLoad?.(header);
    }
  }

  #lose(error: PilothouseError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    clearTimeout(this.#connecting);
    this.#socket.close();
    this.#calls.failAll(error);
  }

  #gone(what: string, cause?: unknown): PilothouseError {
    const { name, address, ids } = this.target;
    return new PilothouseError('SERVICE_UNREACHABLE', `${name} at ${address} ${what}.`, {
      hint: 'Look at its log; another instance may answer.',
      ids,
      cause,
    });
  }

  #keyRefused(): PilothouseError {
    const { name, address, ids } = this.target;
    return new PilothouseError(
      'AUTHENTICATION_FAILED',
      `What listens at ${address} is not ${name}: the server key does not fit.`,
      {
        hint: 'Take the server key that the service prints when it starts.',
        ids,
      },
    );
  }
}
