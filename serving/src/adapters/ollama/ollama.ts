import {
  type Message,
  PilothouseError,
  type RequestOp,
  type RequestOptions,
  type ServiceRequest,
} from '@pilothouse/sdk/shared';
import { z } from 'zod';
import type { Adapter, AdapterCall, Outcome, Target } from '../../types.js';
import { emptyAnswer, parseJson, readErrorText, readText } from '../http/body.js';
import type { HttpClient, HttpReply } from '../http/client.js';
import { consume } from '../http/stream.js';
import { serverError, unreadable } from '../server-error.js';
import { bearer, counted, isOk, NOTHING_KNOWN, refuse, withTiming } from '../support.js';
import { OLLAMA_REMEDY, OllamaReader } from './ollama-reader.js';

const tagsSchema = z.looseObject({
  models: z.array(z.looseObject({ name: z.string(), digest: z.string().nullish() })),
});
const embedSchema = z.looseObject({
  model: z.string().nullish(),
  embeddings: z.array(z.array(z.number())).min(1),
  prompt_eval_count: z.int().nullish(),
  total_duration: z.number().nullish(),
  load_duration: z.number().nullish(),
});

/** Parameters that stand beside `options` in a request; every other one belongs into it. */
const BESIDE = new Set([
  'format',
  'keep_alive',
  'think',
  'system',
  'template',
  'raw',
  'suffix',
  'truncate',
  'dimensions',
  'tools',
  'context',
]);

/**
 * Ollama's own API: chat, generate, embed, and the list of its models; streams are JSON lines.
 *
 * @see https://github.com/ollama/ollama/blob/main/docs/api.md
 */
export class OllamaAdapter implements Adapter {
  readonly api = 'ollama';
  readonly ops: ReadonlySet<RequestOp> = new Set(['chat', 'complete', 'embed']);
  readonly #http: HttpClient;
  /** Digests of models as the servers listed them last: the answers themselves carry none. */
  readonly #digests = new Map<string, ReadonlyMap<string, string>>();

  constructor(http: HttpClient) {
    this.#http = http;
  }

  ask(call: AdapterCall): Promise<Outcome> {
    const { request, target } = call;
    switch (request.op) {
      case 'chat':
        return this.#stream(call, 'chat', { messages: ollamaMessages(request.messages, target) });
      case 'complete':
        return this.#stream(call, 'generate', { prompt: request.prompt });
      case 'embed':
        return this.#embed(call, request);
      default:
        return Promise.reject(refuse(this, target.name, request.op));
    }
  }

  async models(target: Target, signal: AbortSignal): Promise<string[]> {
    const { name } = target;
    const base = ollamaBase(target.endpoint.url);
    const { response } = await this.#http.exchange({
      method: 'GET',
      url: `${base}/api/tags`,
      headers: { ...bearer(target), accept: 'application/json' },
      signal,
      name,
    });
    const status = response.statusCode ?? 0;
    if (!isOk(status)) {
      const said = await readErrorText(response, name, signal);
      throw serverError({ target, what: 'Ollama API', remedy: OLLAMA_REMEDY }, status, said);
    }
    const body = await readText(response, name, signal);
    const tags = tagsSchema.safeParse(parseJson(body));
    if (!tags.success) {
      throw new PilothouseError('API_NOT_RECOGNISED', `${name} answers ${base}/api/tags with no list of models`, {
        hint: OLLAMA_REMEDY,
        evidence: body.slice(0, 500),
      });
    }
    const { models } = tags.data;
    this.#digests.set(base, new Map(models.map(({ name: model, digest }) => [model, digest ?? ''])));
    return models.map((model) => model.name);
  }

  async check(target: Target, signal: AbortSignal): Promise<string> {
    return `lists ${counted((await this.models(target, signal)).length, 'model')}`;
  }

  async #stream(call: AdapterCall, path: string, body: Readonly<Record<string, unknown>>): Promise<Outcome> {
    const { target, options } = call;
    const reply = await this.#post(call, path, { ...parameters(options), ...body, stream: true });
    call.onStart();
    const outcome = await consume(reply.response, new OllamaReader(target, call.onChunk), call.signal);
    return withTiming({ ...outcome, revision: this.#revision(target, outcome.model) }, reply);
  }

  async #embed(call: AdapterCall, request: Extract<ServiceRequest, { op: 'embed' }>): Promise<Outcome> {
    const { target, options, signal } = call;
    const reply = await this.#post(call, 'embed', { ...parameters(options), input: request.input });
    call.onStart();
    const body = await readText(reply.response, target.name, signal);
    if (body.trim() === '') throw emptyAnswer(target.name, 200);
    const parsed = embedSchema.safeParse(parseJson(body));
    if (!parsed.success) throw unreadable(target, 'the Ollama API', body, parsed.error);
    const { embeddings, model, prompt_eval_count, total_duration, load_duration } = parsed.data;
    const outcome: Outcome = {
      ...NOTHING_KNOWN,
      value: embeddings,
      model: model ?? null,
      revision: this.#revision(target, model ?? null),
      usage: prompt_eval_count == null ? null : { promptTokens: prompt_eval_count, completionTokens: 0 },
      inference: total_duration == null ? null : Math.max(0, total_duration - (load_duration ?? 0)) / 1e6,
    };
    return withTiming(outcome, reply);
  }

  async #post(
    { target, signal }: AdapterCall,
    path: string,
    body: Readonly<Record<string, unknown>>,
  ): Promise<HttpReply> {
    const { name } = target;
    if (target.model === null) {
      throw new PilothouseError('MODEL_NOT_FOUND', `${name} has no model yet`, {
        hint: 'Have it pull one (ollama pull MODEL), or name the model when the service is attached.',
      });
    }
    const reply = await this.#http.exchange({
      method: 'POST',
      url: `${ollamaBase(target.endpoint.url)}/api/${path}`,
      headers: { ...bearer(target), 'content-type': 'application/json', accept: 'application/x-ndjson' },
      body: JSON.stringify({ ...body, model: target.model }),
      signal,
      name,
    });
    const status = reply.response.statusCode ?? 0;
    if (isOk(status)) return reply;
    const said = await readErrorText(reply.response, name, signal);
    throw serverError({ target, what: 'Ollama API', remedy: OLLAMA_REMEDY }, status, said);
  }

  #revision({ endpoint, model: asked }: Target, model: string | null): string | null {
    const digests = this.#digests.get(ollamaBase(endpoint.url));
    return digests?.get(model ?? '') || digests?.get(asked ?? '') || null;
  }
}

/** An address with or without the `/api` of its paths. */
export function ollamaBase(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/api$/, '');
}

/** Sampling parameters by Ollama's names. */
function parameters({ extra = {}, ...options }: RequestOptions): Record<string, unknown> {
  const entries = Object.entries(extra);
  return {
    ...Object.fromEntries(entries.filter(([name]) => BESIDE.has(name))),
    options: {
      ...Object.fromEntries(entries.filter(([name]) => !BESIDE.has(name))),
      ...defined({
        num_predict: options.maxTokens,
        temperature: options.temperature,
        top_p: options.topP,
        seed: options.seed,
        stop: options.stop,
      }),
    },
  };
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Messages in Ollama's shape: images beside the text, as base64. */
function ollamaMessages(messages: readonly Message[], target: Target): unknown[] {
  return messages.map(({ role, content }) => {
    if (typeof content === 'string') return { role, content };
    const texts: string[] = [];
    const images: string[] = [];
    for (const part of content) {
      if ('text' in part) texts.push(part.text);
      else {
        const data = /^data:[^,]*;base64,(.*)$/s.exec(part.image)?.[1];
        if (data === undefined) throw noFiles(target.name);
        images.push(data);
      }
    }
    return { role, content: texts.join('\n'), ...(images.length === 0 ? {} : { images }) };
  });
}

function noFiles(name: string): PilothouseError {
  return new PilothouseError('UNSUPPORTED_REQUEST', `${name} speaks Ollama’s own API, which takes no files by path`, {
    hint: 'Start or attach it with api "openai" (Ollama speaks it at /v1), or give the image itself as a data: URL.',
    field: 'request.messages',
  });
}
