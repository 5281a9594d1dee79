import type { IncomingMessage } from 'node:http';
import { PilothouseError, type RequestOp, type ServiceRequest } from '@pilothouse/sdk/shared';
import type { Adapter, AdapterCall, Outcome, Target } from '../../types.js';
import { parseJson, readErrorText, readText, streamCut } from '../http/body.js';
import type { HttpClient } from '../http/client.js';
import { consume, EventCutter, LineCutter, type StreamReader } from '../http/stream.js';
import { serverError, unreadable } from '../server-error.js';
import { bearer, isOk, NOTHING_KNOWN, refuse, withTiming } from '../support.js';

type RestRequest = Extract<ServiceRequest, { op: 'rest' }>;

const REMEDY = 'Check the path and the method against what the server documents.';
const LINES = /^application\/(x-ndjson|jsonl|json-lines|x-jsonlines|jsonlines)\b/;

/**
 * JSON over HTTP, whatever the server makes of it. Server-sent events and JSON lines come as pieces, JSON and text as
 * a value.
 */
export class RestAdapter implements Adapter {
  readonly api = 'rest';
  readonly ops: ReadonlySet<RequestOp> = new Set(['rest']);
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async ask(call: AdapterCall): Promise<Outcome> {
    const { request, target, signal } = call;
    if (request.op !== 'rest') throw refuse(this, target.name, request.op);
    const reply = await this.#http.exchange({
      method: request.method,
      url: restUrl(target, request.path),
      headers: {
        ...bearer(target),
        accept: 'application/json, text/event-stream, application/x-ndjson, text/*',
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: request.body === undefined ? undefined : JSON.stringify(request.body),
      signal,
      name: target.name,
      once: request.method === 'POST' || request.method === 'PATCH',
    });
    const { response } = reply;
    const status = response.statusCode ?? 0;
    if (!isOk(status)) {
      const said = await readErrorText(response, target.name, signal);
      throw serverError({ target, what: `${request.method} ${request.path}`, remedy: REMEDY }, status, said);
    }
    call.onStart();
    return withTiming(await this.#read(call, request, response, status), reply);
  }

  /** There is no list of models in an API that nobody has fixed. */
  models(): Promise<string[]> {
    return Promise.resolve([]);
  }

  /** Whatever it answers, it is there; only a failure of its own counts against it. */
  async check(target: Target, signal: AbortSignal): Promise<string> {
    const { name } = target;
    const { response } = await this.#http.exchange({
      method: 'GET',
      url: target.endpoint.url,
      headers: { ...bearer(target), accept: '*/*' },
      signal,
      name,
    });
    const status = response.statusCode ?? 0;
    const said = await readErrorText(response, name, signal);
    if (status === 401 || status === 403 || status >= 500) {
      throw serverError({ target, what: 'HTTP API', remedy: REMEDY }, status, said);
    }
    return `answers ${status}`;
  }

  async #read(call: AdapterCall, request: RestRequest, response: IncomingMessage, status: number): Promise<Outcome> {
    const { target, signal } = call;
    const type = (response.headers['content-type'] ?? '').toLowerCase();
    if (type.startsWith('text/event-stream')) return await consume(response, new PieceReader(call, 'events'), signal);
    if (LINES.test(type)) return await consume(response, new PieceReader(call, 'lines'), signal);
    const json = /^application\/([\w.-]+\+)?json\b/.test(type);
    if (type !== '' && !json && !type.startsWith('text/')) {
      response.destroy();
      throw new PilothouseError('UNSUPPORTED_FORMAT', `${target.name} answers ${request.path} with ${type}`, {
        hint: 'Ask for JSON, text, server-sent events or JSON lines; fetch files from the gateway at /services/NAME/.',
      });
    }
    const text = await readText(response, target.name, signal);
    const body = text === '' ? null : parseJson(text);
    if (body === undefined && json) throw unreadable(target, 'JSON', text);
    return { ...NOTHING_KNOWN, value: { status, body: body === undefined ? text : body } };
  }
}

/**
 * The address of a path at a server. The path cannot leave the address: its key is for what lies below.
 *
 * @throws PilothouseError UNSAFE_PATH
 */
export function restUrl(target: Target, path: string): string {
  const base = target.endpoint.url.replace(/\/+$/, '');
  const url = new URL(base + path);
  const root = new URL(base);
  const below = root.pathname === '/' ? '/' : `${root.pathname}/`;
  if (url.origin === root.origin && `${url.pathname}/`.startsWith(below)) return url.href;
  throw new PilothouseError('UNSAFE_PATH', `the path ${path} leads out of ${base}`, {
    hint: 'Give a path below the address of the service.',
    field: 'request.path',
  });
}

/** Reads pieces; the end of the connection in good order is the end of the answer. */
class PieceReader implements StreamReader<Outcome> {
  readonly finished = false;
  readonly #name: string;
  readonly #cutter: EventCutter | LineCutter;
  #done = false;

  constructor({ target, onChunk }: AdapterCall, kind: 'events' | 'lines') {
    this.#name = target.name;
    const take = (text: string): void => {
      if (this.#done) return;
      if (kind === 'events' && text.trim() === '[DONE]') {
        this.#done = true;
        return;
      }
      const data = parseJson(text);
      if (data === undefined || typeof data === 'string') onChunk(typeof data === 'string' ? data : text);
      else onChunk('', data);
    };
    this.#cutter = kind === 'events' ? new EventCutter(target.name, take) : new LineCutter(target.name, take);
  }

  get done(): boolean {
    return this.#done;
  }

  feed(bytes: Uint8Array): void {
    this.#cutter.feed(bytes);
  }

  end(cause?: unknown): Outcome {
    if (!this.#done) {
      if (cause !== undefined) throw streamCut(this.#name, cause);
      this.#cutter.flush();
    }
    return { ...NOTHING_KNOWN, finishReason: 'stop' };
  }
}
