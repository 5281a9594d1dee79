import { PilothouseError, type RequestOp, type RequestOptions, type ServiceRequest } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import type { Adapter, AdapterCall, Outcome, Target } from '../../types.js';
import { emptyAnswer, parseJson, readErrorText, readText } from '../http/body.js';
import type { HttpClient, HttpReply } from '../http/client.js';
import { consume } from '../http/stream.js';
import { serverError, unreadable } from '../server-error.js';
import { bearer, counted, isOk, NOTHING_KNOWN, refuse, withTiming } from '../support.js';
import { CHAT_REMEDY, CompletionReader } from './completion-reader.js';
import { apiMessages } from './messages.js';

const modelsSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });
const embeddingsSchema = z.looseObject({
  model: z.string().nullish(),
  data: z.array(z.looseObject({ index: z.int().optional(), embedding: z.array(z.number()) })).min(1),
  usage: z.looseObject({ prompt_tokens: z.int() }).nullish(),
});

type Path = 'chat/completions' | 'completions' | 'embeddings';
const WORDS: Readonly<Record<Path, string>> = {
  'chat/completions': 'chat API',
  completions: 'completions API',
  embeddings: 'embeddings API',
};

/**
 * The API that OpenAI documented and that llama-server, vLLM, transformers and many others speak.
 *
 * @see https://platform.openai.com/docs/api-reference
 */
export class OpenAiAdapter implements Adapter {
  readonly api = 'openai';
  readonly ops: ReadonlySet<RequestOp> = new Set(['chat', 'complete', 'embed']);
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  ask(call: AdapterCall): Promise<Outcome> {
    const { request, target } = call;
    switch (request.op) {
      case 'chat':
        return this.#stream(call, 'chat/completions', { messages: apiMessages(request.messages, target) });
      case 'complete':
        return this.#stream(call, 'completions', { prompt: request.prompt });
      case 'embed':
        return this.#embed(call, request);
      default:
        return Promise.reject(refuse(this, target.name, request.op));
    }
  }

  async models(target: Target, signal: AbortSignal): Promise<string[]> {
    const { name } = target;
    const base = openAiBase(target.endpoint.url);
    const { response } = await this.#http.exchange({
      method: 'GET',
      url: `${base}/models`,
      headers: { ...headers(target), accept: 'application/json' },
      signal,
      name,
    });
    const status = response.statusCode ?? 0;
    if (!isOk(status)) {
      const said = await readErrorText(response, name, signal);
      throw serverError({ target, what: 'list of models', remedy: CHAT_REMEDY }, status, said);
    }
    const body = await readText(response, name, signal);
    const models = modelsSchema.safeParse(parseJson(body));
    if (!models.success) {
      const type = response.headers['content-type'] ?? 'no content type';
      throw new PilothouseError(
        'API_NOT_RECOGNISED',
        `${name} answers ${base}/models with something else than a list of models (${type})`,
        { hint: 'Give the base URL of an OpenAI-compatible API, ending in /v1.', evidence: body.slice(0, 500) },
      );
    }
    return models.data.data.map((model) => model.id);
  }

  async check(target: Target, signal: AbortSignal): Promise<string> {
    try {
      const models = await this.models(target, signal);
      return `lists ${counted(models.length, 'model')}`;
    } catch (error) {
      // Some servers cannot list their models; where one is named, that they say so is a sign of life.
      const speaks =
        error instanceof PilothouseError && (error.code === 'BACKEND_FAILED' || error.code === 'REQUEST_REFUSED');
      if (speaks && target.model !== null) return 'answers, without a list of models';
      throw error;
    }
  }

  async #stream(call: AdapterCall, path: Path, body: Readonly<Record<string, unknown>>): Promise<Outcome> {
    const { target, options, signal } = call;
    const sent = { ...sampling(options), ...body, stream: true, stream_options: { include_usage: true } };
    const reply = await this.#post(call, path, sent, 'text/event-stream');
    const { response } = reply;
    call.onStart();
    const reader = new CompletionReader(target, call.onChunk);
    const streams = (response.headers['content-type'] ?? '').startsWith('text/event-stream');
    const outcome = streams
      ? await consume(response, reader, signal)
      : reader.whole(await readText(response, target.name, signal));
    return withTiming(outcome, reply);
  }

  async #embed(call: AdapterCall, request: Extract<ServiceRequest, { op: 'embed' }>): Promise<Outcome> {
    const { target, options, signal } = call;
    const sent = { encoding_format: 'float', ...options.extra, input: request.input };
    const reply = await this.#post(call, 'embeddings', sent, 'application/json');
    call.onStart();
    const body = await readText(reply.response, target.name, signal);
    if (body.trim() === '') throw emptyAnswer(target.name, 200);
    const parsed = embeddingsSchema.safeParse(parseJson(body));
    if (!parsed.success) throw unreadable(target, 'the OpenAI API', body, parsed.error);
    const { data, model, usage } = parsed.data;
    const vectors = data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map(({ embedding }) => embedding);
    return withTiming(
      {
        ...NOTHING_KNOWN,
        value: vectors,
        model: model ?? null,
        usage: usage ? { promptTokens: usage.prompt_tokens, completionTokens: 0 } : null,
      },
      reply,
    );
  }

  async #post(
    { target, signal }: AdapterCall,
    path: Path,
    body: Readonly<Record<string, unknown>>,
    accept: string,
  ): Promise<HttpReply> {
    const { name } = target;
    const reply = await this.#http.exchange({
      method: 'POST',
      url: `${openAiBase(target.endpoint.url)}/${path}`,
      headers: { ...headers(target), 'content-type': 'application/json', accept },
      body: JSON.stringify({ ...(target.model === null ? {} : { model: target.model }), ...body }),
      signal,
      name,
    });
    const status = reply.response.statusCode ?? 0;
    if (isOk(status)) return reply;
    const said = await readErrorText(reply.response, name, signal);
    throw serverError({ target, what: WORDS[path], remedy: CHAT_REMEDY }, status, said);
  }
}

/**
 * Base of the API at an address: a URL with a path is the base itself, one without gets `/v1`. A trailing slash after
 * the host says that the API lies right there.
 */
export function openAiBase(url: string): string {
  const base = url.replace(/\/+$/, '');
  return base === url && new URL(url).pathname === '/' ? `${base}/v1` : base;
}

function headers(target: Target): Record<string, string> {
  const { gatewayInstance } = target;
  return {
    ...bearer(target),
    ...(gatewayInstance === undefined ? {} : { 'x-pilothouse-instance': String(gatewayInstance) }),
  };
}

/** Sampling parameters by the API's names; what the user adds by `extra` goes as it is. */
function sampling(options: RequestOptions): Record<string, unknown> {
  return {
    ...options.extra,
    max_tokens: options.maxTokens ?? options.extra?.max_tokens,
    temperature: options.temperature ?? options.extra?.temperature,
    top_p: options.topP ?? options.extra?.top_p,
    seed: options.seed ?? options.extra?.seed,
    stop: options.stop ?? options.extra?.stop,
  };
}
