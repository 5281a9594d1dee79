import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { PilothouseError } from '@pilothouse/sdk/shared';
import type { Dispatcher } from 'undici';
import { Budget, readBody } from './body.js';
import type { Directory, Routable } from './directory.js';
import { Exchange } from './exchange.js';
import { inlineImages, namesImages } from './images.js';
import { Pools } from './pools.js';
import { sendError, sendJson } from './replies.js';
import { scanRequest } from './scan.js';

/** Bytes of request bodies that are held at a time. */
const BUDGET = 256 * 1024 * 1024;

/** What a caller may use. */
export interface Access {
  allows(service: Routable): boolean;
}

/** What a gateway needs of its surroundings. */
export interface GatewayOptions {
  readonly directory: Directory;
  /** What a caller may use; undefined: it is refused. Left out where only the user reaches the socket. */
  readonly authorize?: (headers: IncomingHttpHeaders) => Access | undefined;
  /** Absolute folders whose images requests to a service may name; null: files cannot be read here. */
  readonly imageFolders?: (service: string) => readonly string[] | null;
  /** Told of what can only be a mistake in Pilothouse itself. */
  readonly log: (text: string, error: unknown) => void;
}

const EVERYTHING: Access = { allows: () => true };
/** Services that speak OpenAI's API: Ollama does so beside its own. */
const OPENAI = new Set(['openai', 'ollama']);

/**
 * The router behind one URL: OpenAI's API under `/v1`, where a model is a service by name, and each service's own HTTP API
 * under `/services/NAME/`. Bytes pass through unread, streams piece by piece.
 *
 * @see {@link https://platform.openai.com/docs/api-reference | OpenAI API reference}
 */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #pools = new Pools();
  readonly #budget = new Budget(BUDGET);
  readonly #started = Math.floor(Date.now() / 1000);

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** Whether a path is one of this gateway's. */
  static owns(url: string): boolean {
    return url.startsWith('/v1/') || url.startsWith('/services/');
  }

  /** Answers a request, whatever it is. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).catch((error: unknown) => {
      if (!(error instanceof PilothouseError) && !request.destroyed) {
        this.#options.log('a request to the gateway failed', error);
      }
      sendError(response, error);
    });
  }

  /** Closes the connections to instances; what is under way there ends with an error. */
  close(): Promise<void> {
    return this.#pools.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const accepted = performance.now();
    const url = request.url ?? '/';
    const { authorize } = this.#options;
    const access = authorize === undefined ? EVERYTHING : authorize(request.headers);
    if (access === undefined) throw notAllowed();
    if (url.startsWith('/services/')) {
      await this.#pass(request, response, access, accepted);
      return;
    }
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    if (path === '/v1/models' && request.method === 'GET') {
      this.#list(response, access);
      return;
    }
    if (path.startsWith('/v1/models/') && request.method === 'GET') {
      const service = this.#find(decode(path.slice('/v1/models/'.length)), access);
      sendJson(response, 200, this.#describe(service));
      return;
    }
    if (!path.startsWith('/v1/') || request.method !== 'POST') throw unknown(request);
    await this.#model(request, response, url.slice('/v1'.length), access, accepted);
  }

  async #model(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    access: Access,
    accepted: number,
  ): Promise<void> {
    const read = await readBody(request, this.#budget);
    try {
      let body = read;
      let scanned = scanRequest(body);
      if (scanned === null) throw notJson(request);
      if (scanned.model === null) throw noModel(this.#names(access));
      const service = this.#find(scanned.model.value, access);
      if (!OPENAI.has(service.api)) throw otherApi(service);
      if (namesImages(body)) {
        body = await inlineImages(body, this.#options.imageFolders?.(service.id) ?? null);
        scanned = scanRequest(body) ?? scanned;
      }
      const inquiry = { service, method: 'POST' as const, path, body, scanned, accepted };
      await new Exchange(inquiry, request, response, this.#pools).run();
    } finally {
      this.#budget.give(read.length);
    }
  }

  /** Passes a request on to a service's own HTTP API. */
  async #pass(request: IncomingMessage, response: ServerResponse, access: Access, accepted: number): Promise<void> {
    const rest = (request.url ?? '').slice('/services/'.length);
    const end = rest.search(/[/?]/);
    const service = this.#find(decode(end < 0 ? rest : rest.slice(0, end)), access);
    if (service.api === 'zeromq' || service.api === 'ru-zmq') throw notHttp(service);
    const tail = end < 0 ? '/' : rest.slice(end);
    const path = tail.startsWith('/') ? tail : `/${tail}`;
    const read = await readBody(request, this.#budget);
    try {
      const body = read.length === 0 ? null : read;
      const method: Dispatcher.HttpMethod = request.method ?? 'GET';
      const inquiry = { service, method, path, body, scanned: null, accepted };
      await new Exchange(inquiry, request, response, this.#pools).run();
    } finally {
      this.#budget.give(read.length);
    }
  }

  #list(response: ServerResponse, access: Access): void {
    const services = this.#options.directory.list().filter((one) => OPENAI.has(one.api) && access.allows(one));
    sendJson(response, 200, { object: 'list', data: services.map((service) => this.#describe(service)) });
  }

  #describe({ name }: Routable): object {
    return { id: name, object: 'model', created: this.#started, owned_by: 'pilothouse' };
  }

  #names(access: Access): string[] {
    return this.#options.directory.list().flatMap((one) => (access.allows(one) ? [one.name] : []));
  }

  #find(name: string, access: Access): Routable {
    const service = this.#options.directory.find(name);
    if (service !== undefined && access.allows(service)) return service;
    const names = this.#names(access);
    throw new PilothouseError('SERVICE_NOT_FOUND', `there is no service "${name}"`, {
      hint: names.length === 0 ? 'Start a service first.' : `There is ${names.slice(0, 20).join(', ')}.`,
    });
  }
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // Not well encoded: no service has this name.
    return name;
  }
}

function notAllowed(): PilothouseError {
  return new PilothouseError('PERMISSION_DENIED', 'the key is not one of this gateway', {
    hint: 'Send the key from OPENAI_API_KEY as "Authorization: Bearer KEY".',
  });
}

function unknown({ method, url }: IncomingMessage): PilothouseError {
  return new PilothouseError('UNKNOWN_METHOD', `there is nothing at ${method} ${(url ?? '').split('?')[0]}`, {
    hint: 'Use GET /v1/models, POST /v1/chat/completions, /v1/completions, /v1/embeddings, or /services/NAME/.',
  });
}

function notJson({ headers }: IncomingMessage): PilothouseError {
  const type = headers['content-type'] ?? 'nothing';
  return new PilothouseError('INVALID_DESCRIPTION', `the body is not a JSON object (it says it is ${type})`, {
    hint: 'Send JSON with the field "model".',
  });
}

function noModel(names: readonly string[]): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', 'the request names no model', {
    hint: names.length === 0 ? 'Start a service first.' : `Set "model" to the name of a service: ${names.join(', ')}.`,
    field: 'model',
  });
}

function otherApi({ name, api }: Routable): PilothouseError {
  return new PilothouseError('UNSUPPORTED_REQUEST', `${name} does not speak OpenAI's API, but ${api}`, {
    hint: `Call it with Pilothouse, or by its own API under /services/${name}/ where that is HTTP.`,
  });
}

function notHttp({ name }: Routable): PilothouseError {
  return new PilothouseError('UNSUPPORTED_REQUEST', `${name} speaks ZeroMQ, which does not pass through HTTP`, {
    hint: 'Call it with Pilothouse: service.call(…).',
  });
}
