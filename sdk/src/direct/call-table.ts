import { PilothouseError } from '../errors/index.js';
import type { Method } from '../schemas/service-record.js';
import type { Pong } from './connection.js';
import type { ServerHeader } from './protocol/headers.js';

type ReplyHeader = Extract<ServerHeader, { t: 'reply' }>;
type PongHeader = Extract<ServerHeader, { t: 'pong' }>;

/** Who waits for an answer. */
export interface PendingReply {
  readonly onStart: (() => void) | undefined;
  readonly onChunk: ((data: unknown) => void | Promise<void>) | undefined;
  resolve(header: Omit<ReplyHeader, 't' | 'id' | 'binaries'>, value: unknown): void;
  reject(error: unknown): void;
  done(): void;
}

interface PendingPing {
  resolve(pong: Pong): void;
  reject(error: unknown): void;
  done(): void;
}

interface Entry extends PendingReply {
  readonly credits: number;
  /** Pieces read and not granted anew. */
  read: number;
  received: number;
  started: boolean;
  /** Pieces are handed on one after the other; undefined: nothing is under way. */
  reading: Promise<void> | undefined;
}

/** The calls of one connection that are under way: what comes in finds its caller here, by number. */
export class CallTable {
  readonly #grant: (id: number, credits: number) => void;
  readonly #calls = new Map<number, Entry>();
  readonly #pings = new Map<number, PendingPing>();
  #last = 0;

  /** @param grant - called when a reader has made room for more pieces */
  constructor(grant: (id: number, credits: number) => void) {
    this.#grant = grant;
  }

  get size(): number {
    return this.#calls.size;
  }

  nextId(): number {
    this.#last += 1;
    return this.#last;
  }

  add(id: number, pending: PendingReply, credits: number): void {
    const state = { credits, read: 0, received: 0, started: false, reading: undefined };
    this.#calls.set(id, Object.assign(state, pending));
  }

  addPing(id: number, pending: PendingPing): void {
    this.#pings.set(id, pending);
  }

  /** A piece has come; `decode` may throw. */
  chunk(id: number, decode: () => unknown): void {
    const entry = this.#calls.get(id);
    if (entry === undefined) return;
    this.#start(entry);
    entry.received += 1;
    try {
      const data = decode();
      const reading = entry.reading;
      const read = reading === undefined ? entry.onChunk?.(data) : reading.then(() => entry.onChunk?.(data));
      if (read instanceof Promise) this.#readLater(id, entry, read);
      else this.#readNow(id, entry);
    } catch (error) {
      this.#giveUp(id, error);
    }
  }

  reply(header: ReplyHeader, decode: () => unknown): void {
    const entry = this.#calls.get(header.id);
    if (entry === undefined) return;
    this.#start(entry);
    const { waited, ran, outstanding, queued } = header;
    const resolve = () => {
      if (this.#take(header.id) === undefined) return;
      try {
        entry.resolve({ waited, ran, outstanding, queued }, decode());
      } catch (error) {
        entry.reject(error);
      }
    };
    // The last pieces come first.
    if (entry.reading === undefined) resolve();
    else void entry.reading.then(resolve);
  }

  pong(header: PongHeader, methods: (() => Method[]) | undefined): void {
    const pending = this.#pings.get(header.id);
    if (pending === undefined) return;
    this.#pings.delete(header.id);
    pending.done();
    const { t: _type, id: _id, ...pong } = header;
    try {
      pending.resolve({ ...pong, methods: methods?.() ?? null });
    } catch (error) {
      pending.reject(error);
    }
  }

  fail(id: number, error: unknown): void {
    this.#take(id)?.reject(error);
    const ping = this.#pings.get(id);
    this.#pings.delete(id);
    ping?.done();
    ping?.reject(error);
  }

  /** The connection is lost. */
  failAll(error: PilothouseError): void {
    for (const [id, entry] of this.#calls) this.fail(id, entry.received > 0 ? cut(error, entry.received) : error);
    for (const id of this.#pings.keys()) this.fail(id, error);
  }

  #start(entry: Entry): void {
    if (entry.started) return;
    entry.started = true;
    entry.onStart?.();
  }

  #readLater(id: number, entry: Entry, read: Promise<void>): void {
    const reading = read.then(
      () => {
        this.#readNow(id, entry);
        if (entry.reading === reading) entry.reading = undefined;
      },
      (error: unknown) => this.#giveUp(id, error),
    );
    entry.reading = reading;
  }

  #readNow(id: number, entry: Entry): void {
    entry.read += 1;
    // In halves: a message for each piece would cost as much as the piece.
    if (entry.read * 2 < entry.credits || !this.#calls.has(id)) return;
    this.#grant(id, entry.read);
    entry.read = 0;
  }

  /** Its reader has failed, or what came cannot be read. */
  #giveUp(id: number, error: unknown): void {
    this.fail(id, error);
  }

  #take(id: number): Entry | undefined {
    const entry = this.#calls.get(id);
    this.#calls.delete(id);
    entry?.done();
    return entry;
  }
}

function cut(error: PilothouseError, pieces: number): PilothouseError {
  return new PilothouseError(
    'STREAM_CUT',
    `${error.message.replace(/\.$/, '')}, after ${pieces} pieces of the answer.`,
    {
      hint: 'Ask again; what came so far is kept.',
      ids: error.ids,
      cause: error,
    },
  );
}
