import type { IncomingMessage } from 'node:http';
import { PilothouseError } from '@pilothouse/sdk/internal';
import { z } from 'zod';
import { type HttpClient, readText } from './http-client.js';
import { serverError } from './openai-errors.js';
import { CompletionReader } from './openai-stream.js';
import type { ApiAddress, ChatApi, ChatCall, ChatOutcome } from './types.js';
import { withoutKey } from './without-key.js';

/** Bytes of a reply that is no stream: a whole answer, a list of models, an error. */
const MAX_BODY = 8 * 1024 * 1024;
/** Milliseconds that a server may take to send usage or `[DONE]` after it said that the answer has ended. */
const AFTERMATH = 2_000;

const modelsSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

/**
 * The chat API that OpenAI documented and that llama-server, vLLM, transformers and many others speak.
 *
 * @see https://platform.openai.com/docs/api-reference/chat
 */
export class OpenAiApi implements ChatApi {
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  chat(call: ChatCall): Promise<ChatOutcome> {
    return withoutKey(call.address.key, () => this.#chat(call));
  }

  models(address: ApiAddress, signal: AbortSignal): Promise<string[]> {
    return withoutKey(address.key, () => this.#models(address, signal));
  }

  async #chat(call: ChatCall): Promise<ChatOutcome> {
    const { address } = call;
    const { response, connect } = await this.#http.exchange({
      method: 'POST',
      url: `${address.base}/chat/completions`,
      headers: { ...headers(address), 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({
        ...(call.model === null ? {} : { model: call.model }),
        messages: call.messages,
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: call.maxTokens,
        temperature: call.temperature,
        seed: call.seed,
      }),
      signal: call.signal,
      name: address.name,
    });
    const status = response.statusCode ?? 0;
    if (status < 200 || status > 299) throw serverError(address, status, await readText(response, MAX_BODY));
    call.onStart();
    const reader = new CompletionReader(address, call.onText);
    const streams = (response.headers['content-type'] ?? '').startsWith('text/event-stream');
    const outcome = streams
      ? await consume(response, reader, call.signal)
      : reader.whole(await readText(response, MAX_BODY));
    return { ...outcome, connect };
  }

  async #models(address: ApiAddress, signal: AbortSignal): Promise<string[]> {
    const { response } = await this.#http.exchange({
      method: 'GET',
      url: `${address.base}/models`,
      headers: { ...headers(address), accept: 'application/json' },
      signal,
      name: address.name,
    });
    const status = response.statusCode ?? 0;
    const body = await readText(response, MAX_BODY);
    if (status < 200 || status > 299) throw serverError(address, status, body);
    const models = modelsSchema.safeParse(parseJson(body));
    if (!models.success) {
      const type = response.headers['content-type'] ?? 'no content type';
      throw new PilothouseError(
        'API_NOT_RECOGNISED',
        `${address.name} answers ${address.base}/models with something else than a list of models (${type})`,
        { hint: 'Give the base URL of an OpenAI-compatible API, ending in /v1.', evidence: body.slice(0, 500) },
      );
    }
    return models.data.data.map((model) => model.id);
  }
}

function headers(address: ApiAddress): Record<string, string> {
  return address.key === null ? {} : { authorization: `Bearer ${address.key}` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is not JSON is no list of models: the caller says so, with the text as evidence.
    return undefined;
  }
}

/** Feeds a stream to its reader as the bytes arrive; nothing is held back for a later turn. */
function consume(
  response: IncomingMessage,
  reader: CompletionReader,
  signal: AbortSignal,
): Promise<Omit<ChatOutcome, 'connect'>> {
  const { promise, resolve, reject } = Promise.withResolvers<Omit<ChatOutcome, 'connect'>>();
  let aftermath: NodeJS.Timeout | undefined;
  const settle = (give: () => void) => {
    clearTimeout(aftermath);
    try {
      give();
    } catch (error) {
      reject(error);
    }
  };
  response.on('data', (bytes: Buffer) => {
    try {
      reader.feed(bytes);
    } catch (error) {
      clearTimeout(aftermath);
      reject(error);
      response.destroy();
      return;
    }
    if (reader.done) settle(() => resolve(reader.end()));
    else if (reader.finished && aftermath === undefined) {
      aftermath = setTimeout(() => {
        settle(() => resolve(reader.end()));
        response.destroy();
      }, AFTERMATH);
    }
  });
  response.once('end', () => settle(() => resolve(reader.end())));
  response.once('close', () => settle(() => resolve(reader.end())));
  // Stays on: a stream that is torn down after its answer was complete must not end the process.
  response.on('error', (error) => {
    settle(() => (signal.aborted ? reject(signal.reason) : resolve(reader.end(error))));
  });
  return promise;
}
