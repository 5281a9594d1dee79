import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Place } from './directory.js';
import { emptyBody, explain, type Failure, NOT_AN_ANSWER, refusedWith, tooSlow, unfinished } from './failures.js';
import { back } from './headers.js';
import { errorEvent } from './replies.js';
import { Tail } from './tail.js';

/** How long a server may take to begin its answer, and between two pieces of it, in milliseconds. */
const FIRST_BYTE = 600_000;
const NEXT_BYTE = 300_000;
/** Bytes of a whole answer that are held until it is complete: a server that dies before can then be made up for. */
const HELD = 256 * 1024;
/** Bytes of a refusal that are read, for the sentence about it. */
const REFUSAL = 4096;

/** One request as it goes to one instance. */
export interface Outgoing {
  readonly dispatcher: Dispatcher;
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: string[];
  readonly body: Buffer | null;
  /** It speaks OpenAI's API, of which is known when an answer is complete. */
  readonly openai: boolean;
  /** Milliseconds to the first byte; null: as long as the request. */
  readonly limit: number | null;
  /** When the request was accepted, by the monotonic clock. */
  readonly accepted: number;
}

export interface AttemptEvents {
  /** The first byte is here. false: another instance was faster, and this one is not wanted any more. */
  began(attempt: Attempt): boolean;
  /** All of the answer has been passed on. */
  done(): void;
  failed(attempt: Attempt, failure: Failure): void;
}

/** One try to have one instance answer. It pours what comes into the client's response, byte for byte, at once. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly place: Place;
  readonly #out: Outgoing;
  readonly #response: ServerResponse;
  readonly #events: AttemptEvents;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #way: 'none' | 'refusal' | 'held' | 'poured' = 'none';
  #parts: Buffer[] = [];
  #size = 0;
  #tail: Tail | undefined;
  #passedOn = false;
  #over = false;
  #resent = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(place: Place, out: Outgoing, response: ServerResponse, events: AttemptEvents) {
    this.place = place;
    this.#out = out;
    this.#response = response;
    this.#events = events;
  }

  send(): void {
    const { limit } = this.#out;
    if (limit !== null) this.#timer = setTimeout(() => this.#giveUp(tooSlow(this.place, limit)), limit);
    this.#dispatch();
  }

  /** It is not wanted any more; says nothing about the instance. */
  drop(): void {
    if (!this.#close()) return;
    this.place.dropped();
    this.#controller?.abort(new Error('not wanted any more'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('not wanted any more'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#over) return;
    this.#status = status;
    this.#headers = headers;
    const type = headers['content-type'] ?? '';
    if (NOT_AN_ANSWER.has(status) && this.#out.openai) this.#way = 'refusal';
    else if ((status === 502 || status === 503 || status === 504) && this.#out.method === 'GET') this.#way = 'refusal';
    else if (type.startsWith('application/json')) this.#way = 'held';
    else this.#way = 'poured';
    if (this.#out.openai && status === 200 && type.startsWith('text/event-stream')) this.#tail = new Tail();
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    if (this.#over) return;
    if (this.#way === 'refusal') {
      if (this.#size < REFUSAL) this.#parts.push(part);
      this.#size += part.length;
      return;
    }
    if (this.#size === 0) {
      clearTimeout(this.#timer);
      if (!this.#events.began(this)) {
        this.drop();
        return;
      }
    }
    this.#size += part.length;
    if (this.#way === 'held') {
      this.#parts.push(part);
      if (this.#size < HELD) return;
      this.#way = 'poured';
      this.#writeHead([]);
      for (const held of this.#parts) this.#response.write(held);
      this.#parts = [];
      return;
    }
    this.#tail?.push(part);
    if (!this.#passedOn) this.#writeHead([]);
    if (this.#response.write(part)) return;
    // The client reads more slowly than the server writes: the server waits too.
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    if (this.#over) return;
    if (this.#way === 'refusal') {
      this.#giveUp(refusedWith(this.#status, Buffer.concat(this.#parts).toString('utf8', 0, REFUSAL), this.place));
      return;
    }
    if (this.#size === 0) {
      if (this.#out.openai && this.#status === 200) {
        this.#giveUp(emptyBody(this.place));
        return;
      }
      if (!this.#events.began(this)) {
        this.drop();
        return;
      }
    }
    if (this.#tail?.finished === false) {
      this.#giveUp(unfinished(this.place));
      return;
    }
    this.#close();
    this.#settle();
    if (this.#passedOn) this.#response.end();
    else {
      const body = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
      // 204 and 304, and answers to HEAD, have no body and no length of their own.
      const bare = this.#status === 204 || this.#status === 304 || this.#out.method === 'HEAD';
      this.#writeHead(bare ? [] : ['content-length', String(this.#size)]);
      this.#response.end(bare ? undefined : body);
    }
    this.#events.done();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.#over) return;
    if (this.#size === 0 && this.#status === 0 && !this.#resent && wasIdle(error)) {
      // The server closed an idle connection at the moment it was used again, and read nothing of the request.
      this.#resent = true;
      this.#dispatch();
      return;
    }
    this.#giveUp(explain(error, this.place, this.#status !== 0));
  }

  #dispatch(): void {
    const { dispatcher, path, method, headers, body } = this.#out;
    dispatcher.dispatch({ path, method, headers, body, headersTimeout: FIRST_BYTE, bodyTimeout: NEXT_BYTE }, this);
  }

  #giveUp(failure: Failure): void {
    if (!this.#close()) return;
    if (failure.blames) this.place.failed(failure.error.message, failure.refused);
    else this.place.dropped();
    this.#controller?.abort(failure.error);
    if (this.#passedOn) {
      // Clients of OpenAI's API throw an error that they read in a stream; any other body can only be torn off.
      if (this.#tail !== undefined) this.#response.end(errorEvent(failure.error));
      else this.#response.destroy();
    }
    this.#events.failed(this, failure);
  }

  #writeHead(more: string[]): void {
    this.#passedOn = true;
    const headers = back(this.#headers, String(this.place.instance.index));
    for (const one of more) headers.push(one);
    this.#response.writeHead(this.#status, headers);
  }

  #settle(): void {
    if (this.#status < 400) this.place.succeeded(performance.now() - this.#out.accepted);
    else if (this.#status >= 500) this.place.failed(`${this.place.target.name} answered ${this.#status}`, false);
    else this.place.dropped();
  }

  /** @returns whether it was still going on */
  #close(): boolean {
    if (this.#over) return false;
    this.#over = true;
    clearTimeout(this.#timer);
    return true;
  }
}

/** Whether an error ended a connection that had answered other requests before. */
function wasIdle(error: Error): boolean {
  if (!('code' in error)) return false;
  if (error.code !== 'UND_ERR_SOCKET' && error.code !== 'ECONNRESET' && error.code !== 'EPIPE') return false;
  const socket: unknown = Reflect.get(error, 'socket');
  const read: unknown = typeof socket === 'object' && socket !== null ? Reflect.get(socket, 'bytesRead') : 0;
  return typeof read === 'number' && read > 0;
}
