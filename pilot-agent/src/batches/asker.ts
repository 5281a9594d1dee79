import { setTimeout as pause } from 'node:timers/promises';
import {
  type BatchSpec,
  type Part,
  PilothouseError,
  type RequestOptions,
  type ServiceRequest,
  toErrorData,
  toSeconds,
} from '@pilothouse/sdk/shared';
import {
  type Adapter,
  type AdapterCall,
  dataUrl,
  neverArrived,
  type Outcome,
  openAiBase,
  type Place,
  type Routable,
} from '@pilothouse/serving';
import { z } from 'zod';
import type { InputRow } from './input.js';
import { bodyFor, usageOf } from './openai-line.js';
import { endsBatch, type RowOutcome } from './row-outcome.js';

/** What is known of a request on its way, for whoever decides how many there are at a time. */
export interface Way {
  /** It looks for an instance, and why it still does. */
  seeks(reason: { readonly code: string; readonly text: string } | undefined): void;
  /** It is with an instance. */
  placed(): void;
  /** It is with none: it has ended, or tries again. */
  left(): void;
  /** The server has too much to do. */
  overloaded(): void;
}

/** Adapters that a batch may need. */
export interface BatchAdapters {
  readonly own: Adapter;
  /** For lines in OpenAI's batch format, which are passed on as they are. */
  readonly rest: Adapter;
}

/** What the addresses in OpenAI's batch format begin with; a server's base may have it already, or another. */
const VERSION = '/v1';
const replySchema = z.object({ body: z.unknown() });
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Batches let everybody else go first, unless their description says otherwise. */
const PRIORITY = -10;

/** What requests of a batch go through. */
export interface AskerParts {
  readonly routable: Routable;
  readonly adapters: BatchAdapters;
  readonly spec: BatchSpec;
  /** Absolute folders whose files inputs may name; null: none is read here. */
  readonly files: readonly string[] | null;
}

/** Asks one input after the other, each with its tries. */
export class Asker {
  readonly #routable: Routable;
  readonly #adapters: BatchAdapters;
  readonly #description: BatchSpec['description'];
  readonly #options: RequestOptions;
  readonly #timeout: number;
  readonly #attemptTimeout: number | null;
  readonly #files: readonly string[] | null;
  #listed: Promise<readonly string[]> | undefined;

  constructor({ routable, adapters, spec: { description }, files }: AskerParts) {
    this.#routable = routable;
    this.#adapters = adapters;
    this.#files = files;
    this.#description = description;
    this.#options = description.options;
    this.#timeout = Math.min(toSeconds(description.options.timeout) * 1000, LONGEST_TIMER_MS);
    const { attemptTimeout } = description.options;
    this.#attemptTimeout = attemptTimeout === undefined ? routable.attemptTimeout : toSeconds(attemptTimeout) * 1000;
  }

  /**
   * Asks until there is an answer, or the tries are used up. What never arrived at a server is no try: an instance that
   * is being started again costs time, and no row its answer.
   *
   * @throws PilothouseError that ends the batch; the reason of the signal
   */
  async ask(row: InputRow, signal: AbortSignal, way: Way): Promise<RowOutcome> {
    if (row.request.kind === 'unusable') {
      const error = new PilothouseError('INVALID_DESCRIPTION', `line ${row.line} ${row.request.message}`);
      return { kind: 'failed', error: error.toJSON() };
    }
    const tried = new Set<string>();
    const tries = this.#description.tries;
    for (let used = 0, rest = FIRST_PAUSE_MS; ; rest = Math.min(rest * 2, LONGEST_PAUSE_MS)) {
      if (tried.size > 0 && !this.#routable.hasOther(tried)) tried.clear();
      let place: Place | undefined;
      try {
        place = await this.#seek(row, tried, signal, way);
        return await this.#attempt(row, place, signal, way);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (endsBatch(error)) throw error;
        const retryable = error instanceof PilothouseError && error.retryable;
        const free = place === undefined || neverArrived(error) || isOverload(error);
        if (isOverload(error)) way.overloaded();
        if (!free) used += 1;
        if (!retryable || used >= tries) return { kind: 'failed', error: told(error, row.line, used) };
        if (place !== undefined) tried.add(place.instance.id);
      }
      // Others take its place at once; it comes back by and by.
      await pause(rest * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }

  #seek(row: InputRow, tried: ReadonlySet<string>, signal: AbortSignal, way: Way): Promise<Place> {
    way.seeks(undefined);
    const { priority = PRIORITY, session, instance } = this.#options;
    const prefix = row.request.kind === 'request' ? prefixOf(row.request.request) : undefined;
    return this.#routable.acquire({
      signal,
      priority,
      session,
      instance,
      prefix,
      tried,
      onWait: (reason) => way.seeks(reason),
    });
  }

  async #attempt(row: InputRow, place: Place, signal: AbortSignal, way: Way): Promise<RowOutcome> {
    way.placed();
    const started = performance.now();
    const limits = new Limits(place.target.name, this.#timeout, this.#attemptTimeout);
    try {
      const { outcome, text } = await this.#send(row, place, AbortSignal.any([signal, limits.signal]), limits);
      const total = performance.now() - started;
      place.succeeded(total);
      const { value } = outcome;
      const answered = {
        kind: 'answered',
        value,
        instance: place.instance.index,
        total,
        model: outcome.model,
      } as const;
      if (row.request.kind === 'openai') return { ...answered, text: null, usage: usageOf(value) };
      return { ...answered, text: text === '' && value !== undefined ? null : text, usage: outcome.usage };
    } catch (error) {
      if (signal.aborted) place.dropped();
      else if (error instanceof PilothouseError && !error.retryable && !neverArrived(error)) place.dropped();
      else place.failed(error instanceof Error ? error.message : String(error), neverArrived(error));
      throw error;
    } finally {
      limits.clear();
      way.left();
    }
  }

  async #send(
    { request }: InputRow,
    { target }: Place,
    signal: AbortSignal,
    limits: Limits,
  ): Promise<{ outcome: Outcome; text: string }> {
    let text = '';
    const call: Omit<AdapterCall, 'request'> = {
      target,
      options: this.#options,
      signal,
      onStart: () => limits.began(),
      onChunk: (piece) => {
        text += piece;
      },
    };
    if (request.kind === 'request') {
      const whole = await withImages(request.request, this.#files);
      const outcome = await this.#adapters.own.ask({ ...call, request: whole });
      return { outcome, text };
    }
    if (request.kind === 'unusable') throw new PilothouseError('INTERNAL', 'an unusable input was sent');
    this.#listed ??= this.#adapters.own.models(target, signal).catch((error: unknown) => {
      this.#listed = undefined;
      throw error;
    });
    const body = bodyFor(request.line, target.model, await this.#listed);
    const asked: ServiceRequest = { op: 'rest', method: 'POST', path: request.line.url.slice(VERSION.length), body };
    const base = { ...target, endpoint: { ...target.endpoint, url: openAiBase(target.endpoint.url) } };
    const outcome = await this.#adapters.rest.ask({ ...call, target: base, request: asked });
    const reply = replySchema.parse(outcome.value);
    return { outcome: { ...outcome, value: reply.body }, text: '' };
  }
}

/** The same, with the images that it names by path read: they lie beside the instances. */
async function withImages(request: ServiceRequest, files: readonly string[] | null): Promise<ServiceRequest> {
  if (request.op !== 'chat' || !request.messages.some(({ content }) => typeof content !== 'string')) return request;
  const part = async (one: Part): Promise<Part> =>
    'text' in one || one.image.startsWith('data:') ? one : { image: await dataUrl(one.image, files) };
  const messages = request.messages.map(async ({ role, content }) => ({
    role,
    content: typeof content === 'string' ? content : await Promise.all(content.map(part)),
  }));
  return { ...request, messages: await Promise.all(messages) };
}

/** How long an instance may take: to begin, and to end. */
class Limits {
  readonly #controller = new AbortController();
  readonly #whole: NodeJS.Timeout;
  readonly #first: NodeJS.Timeout | undefined;

  constructor(name: string, whole: number, first: number | null) {
    this.#whole = setTimeout(() => this.#over(name, 'end', whole), whole);
    if (first !== null) this.#first = setTimeout(() => this.#over(name, 'begin', first), first);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  began(): void {
    clearTimeout(this.#first);
  }

  clear(): void {
    clearTimeout(this.#whole);
    clearTimeout(this.#first);
  }

  #over(name: string, what: string, milliseconds: number): void {
    const text = `${name} did not ${what} its answer within ${milliseconds / 1000} s`;
    this.#controller.abort(
      new PilothouseError('BACKEND_TIMEOUT', text, { hint: 'Give the batch a longer timeout in its options.' }),
    );
  }
}

function isOverload(error: unknown): boolean {
  return error instanceof PilothouseError && error.code === 'QUEUE_FULL';
}

function told(error: unknown, line: number, used: number) {
  const data = toErrorData(error);
  const tries = used > 1 ? ` (tried ${used} times)` : '';
  return { ...data, message: `line ${line}: ${data.message}${tries}` };
}

/** The beginning of what is asked, for services that keep it. */
function prefixOf(request: ServiceRequest): string | undefined {
  if (request.op === 'complete') return request.prompt.slice(0, PREFIX);
  if (request.op !== 'chat') return undefined;
  const texts = request.messages.map(({ content }) =>
    typeof content === 'string' ? content : content.map((part) => ('text' in part ? part.text : '')).join(''),
  );
  return texts.join('\n').slice(0, PREFIX);
}

const PREFIX = 1024;
