import { Router } from 'zeromq';
import { decodeBody, type EncodedBody } from '../direct/protocol/body.js';
import { type ClientHeader, firstFrame, idIn, parseClientFrame, plainReplyHeader } from '../direct/protocol/headers.js';
import { HEARTBEAT, MAX_CALLS, MAX_FRAME, SERVICE_PROTOCOL } from '../direct/protocol/limits.js';
import { Outbox } from '../direct/protocol/outbox.js';
import { type ErrorData, PilothouseError, toErrorData } from '../errors/index.js';
import { type DefinedService, methodNotFound, methodsOf } from '../service-definition/index.js';
import { TakenCall } from './call.js';
import { type Client, Clients } from './clients.js';
import { ended, finishing, queueFull } from './failures.js';
import { handlersOf } from './handlers.js';
import type { ServiceSettings } from './keys.js';
import { Runner } from './runner.js';
import type { RunOptions } from './types.js';
import { WorkQueue } from './work-queue.js';

const CONCURRENCY = 16;
const QUEUE = 1024;
/** Milliseconds between two looks at who is still there; clients without calls are looked at every fifth time. */
const LOOK = 1000;
const IDLE_LOOKS = 5;

/** A service on its socket: takes calls, has them handled, answers. */
export class ServiceServer {
  readonly #service: DefinedService;
  readonly #settings: ServiceSettings;
  readonly #options: RunOptions;
  readonly #socket: Router;
  readonly #outbox: Outbox;
  readonly #clients: Clients;
  readonly #runner: Runner;
  readonly #queue: WorkQueue<TakenCall>;
  readonly #limit: number;
  readonly #concurrency: number;
  #outstanding = 0;
  /** Mean milliseconds of a call, the last ones weighing most. */
  #meanRun = 0;
  #draining = false;
  #drained: (() => void)[] = [];
  #looks = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(service: DefinedService, settings: ServiceSettings, options: RunOptions) {
    this.#service = service;
    this.#settings = settings;
    this.#options = options;
    this.#concurrency = options.concurrency ?? CONCURRENCY;
    this.#limit = options.queue ?? QUEUE;
    const { handlers, groupings } = handlersOf(service, options);
    this.#socket = new Router({
      curveServer: true,
      curvePublicKey: settings.publicKey,
      curveSecretKey: settings.secretKey,
      // A client that has gone is an error then, and not silence.
      mandatory: true,
      linger: 1000,
      maxMessageSize: MAX_FRAME,
      // Bounded by the calls and credits of each client instead: one that does not read must not hold back others.
      sendHighWaterMark: 0,
      heartbeatInterval: HEARTBEAT.interval,
      heartbeatTimeout: HEARTBEAT.timeout,
    });
    this.#outbox = new Outbox(this.#socket, (_error, [address]) => {
      if (Buffer.isBuffer(address)) this.#forget(this.#clients.of(address));
    });
    this.#clients = new Clients(settings.token);
    this.#runner = new Runner(service, settings.name, handlers, {
      chunk: (call, n, body) =>
        this.#send(call.client.address, { t: 'chunk', id: call.id, n, binaries: body.binaries }, body),
      reply: (call, body) => this.#reply(call, body),
      fail: (call, error) => this.#fail(call, error),
    });
    this.#queue = new WorkQueue(this.#concurrency, groupings, (group) => this.#runner.run(group));
  }

  /** Calls taken and not answered. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Starts to listen; gives the address with the port that it got. */
  async listen(): Promise<string> {
    await this.#socket.bind(this.#settings.address);
    this.#timer = setInterval(() => this.#look(), LOOK);
    void this.#receive();
    return this.#socket.lastEndpoint ?? this.#settings.address;
  }

  /** Takes nothing new; resolves when everything taken is answered, or after so many milliseconds. */
  async drain(timeout: number): Promise<void> {
    this.#draining = true;
    for (const { address } of this.#clients.all()) this.#tellLoad(address);
    this.#queue.hurry();
    if (this.#outstanding === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      new Promise<void>((resolve) => this.#drained.push(resolve)),
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeout);
      }),
    ]);
    clearTimeout(timer);
    const error = ended(this.#settings.name);
    for (const { calls } of this.#clients.all()) {
      for (const call of [...calls.values()]) {
        this.#fail(call, toErrorData(error));
        call.cancel(error);
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    for await (const [address, first, ...frames] of this.#socket) {
      if (address === undefined) continue;
      const known = parseClientFrame(first);
      if (known === undefined) this.#notUnderstood(address, first);
      else this.#handle(address, known.header, known.body, frames);
    }
  }

  #handle(address: Buffer, header: ClientHeader, body: string | undefined, frames: Buffer[]): void {
    if (header.t === 'hello') {
      this.#greet(address, header);
      return;
    }
    const client = this.#clients.of(address);
    if (client === undefined) {
      this.#send(address, { t: 'unknown', id: 'id' in header ? header.id : undefined });
      return;
    }
    switch (header.t) {
      case 'call':
        this.#take(client, header, body, frames);
        return;
      case 'grant':
        client.calls.get(header.id)?.grant(header.credits);
        return;
      case 'cancel':
        this.#cancel(client.calls.get(header.id), 'The caller has canceled it.');
        return;
      case 'ping':
        void this.#pong(address, header);
        return;
      case 'bye':
        this.#forget(client);
    }
  }

  #greet(address: Buffer, { v, token }: Extract<ClientHeader, { t: 'hello' }>): void {
    const { name } = this.#settings;
    if (!v.includes(SERVICE_PROTOCOL)) {
      const message = `${name} speaks version ${SERVICE_PROTOCOL} of the service protocol, this client ${v.join(', ')}.`;
      const hint = 'Use the same version of Pilothouse on both ends.';
      this.#send(address, { t: 'refused', error: new PilothouseError('VERSION_MISMATCH', message, { hint }) });
    } else if (this.#clients.greet(address, token)) {
      this.#send(address, { t: 'welcome', v: SERVICE_PROTOCOL, name });
    } else {
      const hint = 'Take the token from its key file.';
      const error = new PilothouseError('AUTHENTICATION_FAILED', `${name} refuses the token.`, { hint });
      this.#send(address, { t: 'refused', error });
    }
  }

  #take(
    client: Client,
    { id, method, credits = 0, binaries }: Extract<ClientHeader, { t: 'call' }>,
    body: string | undefined,
    frames: Buffer[],
  ): void {
    const { address, calls } = client;
    const refuse = (error: unknown) => {
      this.#send(address, { t: 'error', id, ...this.#load(), waited: 0, ran: 0, error: toErrorData(error) });
    };
    const { name } = this.#settings;
    if (this.#draining) {
      refuse(PilothouseError.from(finishing(name)));
    } else if (this.#queue.waiting >= this.#limit) {
      const error = queueFull(name, this.#queue.waiting, this.#retryAfter());
      this.#send(address, { t: 'error', id, ...this.#load(), waited: 0, ran: 0, error });
    } else if (!Object.hasOwn(this.#service.methods, method)) {
      refuse(methodNotFound(name, method, Object.keys(this.#service.methods)));
    } else if (calls.has(id) || calls.size >= MAX_CALLS) {
      refuse(new PilothouseError('INVALID_FRAME', `Call ${id} of this client is under way, or it has ${MAX_CALLS}.`));
    } else {
      try {
        const call = new TakenCall(client, id, method, decodeBody(body, binaries, frames), credits);
        calls.set(id, call);
        this.#outstanding += 1;
        this.#queue.add(call);
      } catch (error) {
        refuse(error);
      }
    }
  }

  #reply(call: TakenCall, body: EncodedBody): void {
    const { waited, ran } = call.timing();
    this.#meanRun = this.#meanRun * 0.9 + ran * 0.1;
    if (!this.#leave(call)) return;
    const { id, client } = call;
    const said = { outstanding: this.#outstanding, queued: this.#queue.waiting, waited, ran };
    const { binaries } = body;
    const header = binaries === undefined ? plainReplyHeader(id, said) : { t: 'reply', id, ...said, binaries };
    this.#send(client.address, header, body);
  }

  #fail(call: TakenCall, error: ErrorData): void {
    const timing = call.timing();
    if (!this.#leave(call)) return;
    this.#send(call.client.address, { t: 'error', id: call.id, ...this.#load(), ...timing, error });
  }

  /** It is answered, or nobody waits for it; false: it was before. */
  #leave(call: TakenCall): boolean {
    if (!call.client.calls.delete(call.id)) return false;
    this.#outstanding -= 1;
    if (this.#outstanding === 0) for (const resolve of this.#drained.splice(0)) resolve();
    return true;
  }

  #cancel(call: TakenCall | undefined, why: string): void {
    if (call === undefined) return;
    this.#leave(call);
    this.#queue.remove(call);
    call.cancel(new PilothouseError('ANSWER_STOPPED', why));
  }

  #forget(client: Client | undefined): void {
    if (client === undefined) return;
    for (const call of [...client.calls.values()]) this.#cancel(call, 'The caller has gone.');
    this.#clients.forget(client.address);
  }

  async #pong(address: Buffer, { id, methods = false }: Extract<ClientHeader, { t: 'ping' }>): Promise<void> {
    const { ok, text } = await this.#health();
    const { version = '' } = this.#options;
    const header = {
      t: 'pong',
      id,
      ok,
      text,
      name: this.#settings.name,
      version,
      draining: this.#draining,
      concurrency: this.#concurrency,
      ...this.#load(),
    };
    const body = methods ? JSON.stringify(methodsOf(this.#service)) : undefined;
    this.#outbox.send([address, firstFrame(header, body)]);
  }

  async #health(): Promise<{ ok: boolean; text: string }> {
    if (this.#draining) return { ok: false, text: 'finishing' };
    try {
      const said = (await this.#options.health?.()) ?? true;
      return typeof said === 'string' ? { ok: true, text: said } : { ok: said, text: said ? 'healthy' : 'not healthy' };
    } catch (error) {
      return { ok: false, text: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Somebody with calls who has gone is noticed by writing to them. */
  #look(): void {
    this.#looks += 1;
    for (const { address, calls } of this.#clients.all()) {
      if (calls.size > 0 || this.#looks % IDLE_LOOKS === 0) this.#tellLoad(address);
    }
  }

  #tellLoad(address: Buffer): void {
    this.#send(address, { t: 'load', draining: this.#draining, ...this.#load() });
  }

  #load(): { outstanding: number; queued: number } {
    return { outstanding: this.#outstanding, queued: this.#queue.waiting };
  }

  /** Seconds. */
  #retryAfter(): number {
    const seconds = (this.#queue.waiting * this.#meanRun) / this.#concurrency / 1000;
    return Math.max(0.1, Math.round(seconds * 10) / 10);
  }

  #notUnderstood(address: Buffer, first: Buffer | undefined): void {
    const id = idIn(first);
    // Whoever has not said hello, or says nothing that could be answered, is not answered.
    if (id === undefined || this.#clients.of(address) === undefined) return;
    const error = new PilothouseError('INVALID_FRAME', 'The service does not understand this message.', {
      hint: 'Use the same version of Pilothouse on both ends.',
    });
    this.#send(address, { t: 'error', id, ...this.#load(), waited: 0, ran: 0, error: toErrorData(error) });
  }

  #send(address: Buffer, header: object | string, body?: EncodedBody): void {
    const first = firstFrame(header, body?.json);
    if (body === undefined || body.frames.length === 0) this.#outbox.send([address, first]);
    else this.#outbox.send([address, first, ...body.frames]);
  }
}
