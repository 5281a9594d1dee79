import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Target } from '../types.js';
import { Attempt, type AttemptEvents } from './attempt.js';
import type { Place, Routable, Seeking } from './directory.js';
import type { Failure } from './failures.js';
import { numberHeader, onward, onwardJson, textHeader } from './headers.js';
import type { Pools } from './pools.js';
import { sendError } from './replies.js';
import { promptOf, type Scanned, withModel } from './scan.js';

/** What is to be asked of a service. */
export interface Inquiry {
  readonly service: Routable;
  readonly method: Dispatcher.HttpMethod;
  /** Behind the base of the API (`/chat/completions`), or of the service (`/anything?x=1`). */
  readonly path: string;
  readonly body: Buffer | null;
  /** What was found in the body of a request of OpenAI's API; null for one that passes through as it is. */
  readonly scanned: Scanned | null;
  readonly accepted: number;
}

/**
 * One request of a client, from its body to the last byte of its answer. Another instance is asked after a failure, as
 * long as nothing of an answer has been passed on; on request a second one beside a slow one. It belongs to the client's
 * connection: when that closes, the work at the instance ends.
 */
export class Exchange implements AttemptEvents {
  readonly #inquiry: Inquiry;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #pools: Pools;
  #gone = false;
  /** Made only for a request that waits: most never do. */
  #leaving: AbortController | undefined;
  readonly #tried = new Set<string>();
  readonly #live = new Set<Attempt>();
  readonly #seeking: Seeking;
  #winner: Attempt | undefined;
  #hedgeTimer: NodeJS.Timeout | undefined;
  #hedging: AbortController | undefined;
  #settle: (failure: Failure | null) => void = () => undefined;

  constructor(inquiry: Inquiry, request: IncomingMessage, response: ServerResponse, pools: Pools) {
    this.#inquiry = inquiry;
    this.#request = request;
    this.#response = response;
    this.#pools = pools;
    const { body, scanned } = inquiry;
    const signal = (): AbortSignal => this.#signal;
    this.#seeking = {
      get signal() {
        return signal();
      },
      priority: numberHeader(request, 'priority'),
      instance: numberHeader(request, 'instance'),
      session: textHeader(request, 'session') ?? scanned?.session,
      tried: this.#tried,
      // Looked at by one policy only.
      get prefix() {
        return body === null ? undefined : promptOf(body);
      },
    };
  }

  /** Resolves when the response has been given its end, or the client has gone away. */
  async run(): Promise<void> {
    // Gone already while its body was read.
    if (this.#response.destroyed) return;
    this.#response.on('close', () => this.#leave());
    try {
      await this.#serve();
    } catch (error) {
      if (!this.#gone) sendError(this.#response, error);
    } finally {
      this.#endHedging();
    }
  }

  began(attempt: Attempt): boolean {
    if (this.#winner !== undefined && this.#winner !== attempt) return false;
    this.#winner = attempt;
    this.#endHedging();
    if (this.#live.size === 1) return true;
    for (const other of [...this.#live]) {
      if (other === attempt) continue;
      this.#live.delete(other);
      other.drop();
    }
    return true;
  }

  done(): void {
    this.#live.clear();
    this.#settle(null);
  }

  failed(attempt: Attempt, failure: Failure): void {
    this.#live.delete(attempt);
    this.#tried.add(attempt.place.instance.id);
    if (this.#winner === attempt) this.#winner = undefined;
    if (this.#live.size > 0) return;
    this.#endHedging();
    this.#settle(failure);
  }

  async #serve(): Promise<void> {
    const { service } = this.#inquiry;
    for (;;) {
      const place = await service.acquire(this.#seeking);
      if (this.#gone) {
        place.dropped();
        return;
      }
      const failure = await this.#ask(place);
      if (failure === null || this.#response.headersSent || this.#gone) return;
      const others = this.#seeking.instance === undefined && service.hasOther(this.#tried);
      if (!failure.again || !others || this.#tried.size > service.retries) throw failure.error;
    }
  }

  get #signal(): AbortSignal {
    if (this.#leaving === undefined) {
      this.#leaving = new AbortController();
      if (this.#gone) this.#leaving.abort(left());
    }
    return this.#leaving.signal;
  }

  /** @returns why no instance has answered; null: one has */
  #ask(place: Place): Promise<Failure | null> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#start(place);
      const after = numberHeader(this.#request, 'hedge-after') ?? this.#inquiry.service.hedgeAfter;
      if (after !== null && this.#live.size > 0) this.#hedgeTimer = setTimeout(() => void this.#hedge(), after);
    });
  }

  #start(place: Place): void {
    const { service, method, path, scanned, accepted } = this.#inquiry;
    const { target } = place;
    const way = this.#pools.to(target.endpoint.url);
    const headers = scanned === null ? onward(this.#request, target.key) : onwardJson(this.#request, target.key);
    const limit = numberHeader(this.#request, 'attempt-timeout') ?? service.attemptTimeout;
    const out = {
      dispatcher: way.pool,
      method,
      path: `${scanned === null ? way.base : way.openAiBase}${path}`,
      headers,
      body: this.#body(target),
      openai: scanned !== null,
      limit,
      accepted,
    };
    const attempt = new Attempt(place, out, this.#response, this);
    this.#live.add(attempt);
    attempt.send();
  }

  #body({ model }: Target): Buffer | null {
    const { body, scanned } = this.#inquiry;
    if (body === null || !scanned?.model || model === null || model === scanned.model.value) return body;
    return withModel(body, scanned.model, model);
  }

  /** Asks a second instance beside the first, which has said nothing so far. */
  async #hedge(): Promise<void> {
    const { service } = this.#inquiry;
    const tried = new Set(this.#tried);
    for (const { place } of this.#live) tried.add(place.instance.id);
    if (this.#winner !== undefined || !service.hasOther(tried)) return;
    const hedging = new AbortController();
    this.#hedging = hedging;
    try {
      const place = await service.acquire({ ...this.#seeking, tried, signal: hedging.signal });
      if (hedging.signal.aborted) place.dropped();
      else this.#start(place);
    } catch {
      // No place in time, or the service is no more: the first instance goes on alone, and its end is what counts.
    }
  }

  #endHedging(): void {
    clearTimeout(this.#hedgeTimer);
    this.#hedging?.abort();
    this.#hedging = undefined;
  }

  #leave(): void {
    if (this.#response.writableFinished) return;
    this.#gone = true;
    this.#leaving?.abort(left());
    this.#endHedging();
    for (const attempt of this.#live) attempt.drop();
    this.#live.clear();
    this.#settle(null);
  }
}

function left(): Error {
  return new Error('the client went away');
}
