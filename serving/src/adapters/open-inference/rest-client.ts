import { PilothouseError, type ServiceRequest } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import type { AdapterCall, Outcome, Target } from '../../types.js';
import { emptyAnswer, parseJson, readErrorText, readText, streamCut } from '../http/body.js';
import type { HttpClient, HttpReply } from '../http/client.js';
import { consume, EventCutter, type StreamReader } from '../http/stream.js';
import { errorBodySchema, serverError, unreadable } from '../server-error.js';
import { bearer, isOk, NOTHING_KNOWN, withTiming } from '../support.js';
import { inferenceSchema, readTensors } from './tensors.js';

export type InferRequest = Extract<ServiceRequest, { op: 'infer' }>;

export const REMEDY = 'Check that an Open Inference server answers there: GET /v2/health/ready.';
const API = 'the Open Inference Protocol';
const indexSchema = z.array(z.looseObject({ name: z.string(), state: z.string().nullish() }));

/** Open Inference over REST: health, the list of models, `infer`, and streams as server-sent events. */
export class RestInference {
  constructor(private readonly http: HttpClient) {}

  async infer(call: AdapterCall, request: InferRequest, model: string): Promise<Outcome> {
    const { target, signal } = call;
    const { body, path } = { body: inferBody(call, request), path: `models/${encodeURIComponent(model)}/infer` };
    const reply = await this.#post(call, path, body);
    call.onStart();
    const text = await readText(reply.response, target.name, signal);
    if (text.trim() === '') throw emptyAnswer(target.name, 200);
    const parsed = inferenceSchema.safeParse(parseJson(text));
    if (!parsed.success) throw unreadable(target, API, text, parsed.error);
    const { model_name, model_version, outputs } = parsed.data;
    return withTiming(
      { ...NOTHING_KNOWN, value: readTensors(outputs), model: model_name ?? null, revision: model_version ?? null },
      reply,
    );
  }

  /** MLServer has `infer_stream`; servers that know only Triton's name of it have `generate_stream`. */
  async inferStream(call: AdapterCall, request: InferRequest, model: string): Promise<Outcome> {
    const path = `models/${encodeURIComponent(model)}`;
    const body = inferBody(call, request);
    let reply: HttpReply;
    try {
      reply = await this.#post(call, `${path}/infer_stream`, body);
    } catch (error) {
      if (!(error instanceof PilothouseError) || error.code !== 'API_NOT_RECOGNISED') throw error;
      reply = await this.#post(call, `${path}/generate_stream`, body);
    }
    call.onStart();
    const reader = new InferenceReader(call.target, (data) => {
      const parsed = inferenceSchema.safeParse(data);
      if (!parsed.success) throw unreadable(call.target, API, JSON.stringify(data), parsed.error);
      call.onChunk('', readTensors(parsed.data.outputs));
      return { model: parsed.data.model_name ?? null, revision: parsed.data.model_version ?? null };
    });
    return withTiming(await consume(reply.response, reader, call.signal), reply);
  }

  /** Text from a prompt, by the generate extension of Triton: `text_input` in, events with `text_output` out. */
  async generate(call: AdapterCall, prompt: string, model: string): Promise<Outcome> {
    const { options, target } = call;
    const body = {
      ...options.extra,
      text_input: prompt,
      stream: true,
      max_tokens: options.maxTokens,
      temperature: options.temperature,
      top_p: options.topP,
      random_seed: options.seed,
      stop_words: options.stop,
    };
    const reply = await this.#post(call, `models/${encodeURIComponent(model)}/generate_stream`, body);
    call.onStart();
    const reader = new InferenceReader(target, (data) => {
      const parsed = generatedSchema.safeParse(data);
      if (!parsed.success) throw unreadable(target, API, JSON.stringify(data), parsed.error);
      const { text_output: text, model_name, model_version } = parsed.data;
      if (text !== '') call.onChunk(text);
      return { model: model_name ?? null, revision: model_version ?? null };
    });
    return withTiming(await consume(reply.response, reader, call.signal), reply);
  }

  /** Models that the server has ready; empty where it keeps no index of them. */
  async models(target: Target, signal: AbortSignal): Promise<string[]> {
    const { name } = target;
    const { response } = await this.http.exchange({
      method: 'POST',
      url: `${restBase(target.endpoint.url)}/repository/index`,
      headers: { ...bearer(target), 'content-type': 'application/json' },
      body: '{}',
      signal,
      name,
    });
    const status = response.statusCode ?? 0;
    const body = isOk(status) ? await readText(response, name, signal) : await readErrorText(response, name, signal);
    if (status === 401 || status === 403)
      throw serverError({ target, what: 'list of models', remedy: REMEDY }, status, body);
    const index = indexSchema.safeParse(parseJson(body));
    if (!isOk(status) || !index.success) return [];
    return index.data.filter(({ state }) => (state ?? 'READY') === 'READY').map((model) => model.name);
  }

  /** Whether the server says that it is ready, or that a model of it is. */
  async ready(target: Target, model: string | null, signal: AbortSignal): Promise<void> {
    const { name } = target;
    const path = model === null ? 'health/ready' : `models/${encodeURIComponent(model)}/ready`;
    const { response } = await this.http.exchange({
      method: 'GET',
      url: `${restBase(target.endpoint.url)}/${path}`,
      headers: bearer(target),
      signal,
      name,
    });
    const status = response.statusCode ?? 0;
    const body = await readErrorText(response, name, signal);
    if (isOk(status)) return;
    if (model !== null && status >= 400 && status < 500 && status !== 401 && status !== 403) {
      throw new PilothouseError('SERVICE_NOT_READY', `${name} runs, but its model "${model}" is not ready`, {
        hint: 'Wait until it is loaded; where it never is, see the log of the service.',
        evidence: body.slice(0, 500) || undefined,
      });
    }
    throw serverError({ target, what: 'Open Inference API', remedy: REMEDY }, status, body);
  }

  async #post(call: AdapterCall, path: string, body: Readonly<Record<string, unknown>>): Promise<HttpReply> {
    const { target, signal } = call;
    const { name } = target;
    const reply = await this.http.exchange({
      method: 'POST',
      url: `${restBase(target.endpoint.url)}/${path}`,
      headers: { ...bearer(target), 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(body),
      signal,
      name,
    });
    const status = reply.response.statusCode ?? 0;
    if (isOk(status)) return reply;
    const said = await readErrorText(reply.response, name, signal);
    throw serverError({ target, what: `API at /v2/${path}`, remedy: REMEDY }, status, said);
  }
}

const generatedSchema = z.looseObject({
  text_output: z.string(),
  model_name: z.string().nullish(),
  model_version: z.string().nullish(),
});

/** An address with or without the `/v2` of its paths. */
export function restBase(url: string): string {
  const base = url.replace(/\/+$/, '');
  return base.endsWith('/v2') ? base : `${base}/v2`;
}

function inferBody({ options }: AdapterCall, { inputs, outputs }: InferRequest): Record<string, unknown> {
  return {
    inputs,
    ...(outputs === undefined ? {} : { outputs: outputs.map((name) => ({ name })) }),
    ...(options.extra === undefined ? {} : { parameters: options.extra }),
  };
}

type Seen = Pick<Outcome, 'model' | 'revision'>;

/**
 * Reads events that hold a JSON object each. The protocol has no word for the end: the server closes the stream in good
 * order, and whatever ends otherwise was cut.
 */
class InferenceReader implements StreamReader<Outcome> {
  readonly finished = false;
  readonly #target: Target;
  readonly #events: EventCutter;
  #done = false;
  #seen: Seen | null = null;
  #ending = false;

  constructor(target: Target, take: (data: unknown) => Seen) {
    this.#target = target;
    this.#events = new EventCutter(target.name, (text) => {
      if (this.#done) return;
      if (text.trim() === '[DONE]') {
        this.#done = true;
        return;
      }
      const data = parseJson(text);
      if (data === undefined) {
        if (this.#ending) return;
        throw unreadable(target, API, text);
      }
      const failed = errorBodySchema.safeParse(data);
      if (failed.success && failed.data.error) {
        throw serverError({ target, what: 'Open Inference API', remedy: REMEDY }, 500, text);
      }
      this.#seen = take(data);
    });
  }

  get done(): boolean {
    return this.#done;
  }

  feed(bytes: Uint8Array): void {
    this.#events.feed(bytes);
  }

  end(cause?: unknown): Outcome {
    if (!this.#done) {
      this.#ending = true;
      this.#events.flush();
      if (cause !== undefined) throw streamCut(this.#target.name, cause);
    }
    if (this.#seen === null) throw emptyAnswer(this.#target.name, 200);
    return { ...NOTHING_KNOWN, ...this.#seen, finishReason: 'stop' };
  }
}
