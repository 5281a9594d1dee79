import { PilothouseError, type Usage } from '@pilothouse/sdk/internal';
import { createParser, type EventSourceParser, type ParseError } from 'eventsource-parser';
import { z } from 'zod';
import { errorBodySchema, serverError } from './openai-errors.js';
import type { ApiAddress, ChatOutcome } from './types.js';

/** Characters of one event; a server that sends more without an end is not speaking SSE. */
const MAX_EVENT = 4 * 1024 * 1024;

const usageSchema = z.looseObject({ prompt_tokens: z.int(), completion_tokens: z.int() });
/** llama-server tells how long it computed. */
const timingsSchema = z.looseObject({ prompt_ms: z.number(), predicted_ms: z.number() });

const base = {
  model: z.string().nullish(),
  usage: usageSchema.nullish(),
  timings: timingsSchema.nullish().catch(null),
};
/** One `data:` of a stream. Every field may be missing somewhere: the last chunk has usage and no choice. */
const chunkSchema = z.looseObject({
  ...base,
  choices: z
    .array(
      z.looseObject({
        index: z.int().default(0),
        delta: z.looseObject({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .default([]),
});
/** The whole answer at once, from a server that takes `stream: true` for `false`. */
const completionSchema = z.looseObject({
  ...base,
  choices: z
    .array(
      z.looseObject({
        message: z.looseObject({ content: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
});

/**
 * Reads one streamed chat completion, byte for byte as it comes, whatever the cuts between the reads.
 *
 * An answer is complete when the server said why it ended (`finish_reason`) or `[DONE]`; some servers send only one of
 * them. An end of the stream with neither is an error, since the text may have been cut anywhere.
 */
export class CompletionReader {
  readonly #address: ApiAddress;
  readonly #onText: (text: string) => void;
  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser;
  #finishReason: string | null = null;
  #usage: Usage | null = null;
  #model: string | null = null;
  #inference: number | null = null;
  #done = false;
  /** Set while the last, unfinished line is tried: what is not whole then is a cut, not a mistake of the server. */
  #ending = false;
  #overflow: ParseError | null = null;

  constructor(address: ApiAddress, onText: (text: string) => void) {
    this.#address = address;
    this.#onText = onText;
    this.#parser = createParser({
      maxBufferSize: MAX_EVENT,
      onEvent: (event) => this.#event(event.data),
      onError: (error) => {
        // Unknown fields are allowed by the format, except that older llama-servers report an error as `error: {…}`.
        if (error.type === 'unknown-field' && error.field === 'error') throw this.#failure(`{"error":${error.value}}`);
        if (error.type === 'max-buffer-size-exceeded') this.#overflow = error;
      },
    });
  }

  /** Why it ended, once the server has said so; the usage may still follow. */
  get finished(): boolean {
    return this.#finishReason !== null || this.#done;
  }

  /** Nothing more will come, whether or not the connection stays open. */
  get done(): boolean {
    return this.#done;
  }

  /** Takes the next bytes. Throws a `PilothouseError` when the server reports one, or does not speak SSE. */
  feed(bytes: Uint8Array): void {
    if (this.#done) return;
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    if (this.#overflow !== null) {
      throw new PilothouseError('BACKEND_FAILED', `${this.#address.name} sent an event without end`, {
        hint: 'Check that the server speaks the OpenAI API.',
        cause: this.#overflow,
      });
    }
  }

  /** The stream has ended: gives what is known of the whole answer, or throws STREAM_CUT. */
  end(cause?: unknown): Omit<ChatOutcome, 'connect'> {
    if (!this.#done && this.#overflow === null) {
      this.#ending = true;
      this.#parser.feed(`${this.#decoder.decode()}\n\n`);
    }
    if (!this.finished) {
      throw new PilothouseError('STREAM_CUT', `${this.#address.name} ended the stream in the middle of the answer`, {
        hint: 'Ask again; what came so far is kept.',
        cause,
      });
    }
    return {
      finishReason: this.#finishReason,
      usage: this.#usage,
      model: this.#model,
      inference: this.#inference,
    };
  }

  /** Takes a whole answer that came as plain JSON. */
  whole(body: string): Omit<ChatOutcome, 'connect'> {
    const json = this.#json(body);
    const parsed = completionSchema.safeParse(json);
    if (!parsed.success) throw this.#failure(body);
    const [choice] = parsed.data.choices;
    this.#note(parsed.data);
    if (choice?.message.content) this.#onText(choice.message.content);
    this.#finishReason = choice?.finish_reason ?? null;
    this.#done = true;
    return this.end();
  }

  #event(data: string): void {
    if (this.#done) return;
    if (data.trim() === '[DONE]') {
      this.#done = true;
      return;
    }
    const json = this.#json(data);
    if (json === undefined) return;
    const failed = errorBodySchema.safeParse(json);
    if (failed.success && failed.data.error !== undefined && failed.data.error !== null) throw this.#failure(data);
    const parsed = chunkSchema.safeParse(json);
    if (!parsed.success) throw this.#unreadable(data, parsed.error);
    this.#note(parsed.data);
    for (const choice of parsed.data.choices) {
      if (choice.index !== 0) continue;
      if (choice.delta?.content) this.#onText(choice.delta.content);
      if (choice.finish_reason) this.#finishReason = choice.finish_reason;
    }
  }

  #note(part: z.infer<z.ZodObject<typeof base>>): void {
    if (part.model) this.#model = part.model;
    if (part.usage) {
      this.#usage = { promptTokens: part.usage.prompt_tokens, completionTokens: part.usage.completion_tokens };
    }
    if (part.timings) this.#inference = part.timings.prompt_ms + part.timings.predicted_ms;
  }

  #json(data: string): unknown {
    try {
      return JSON.parse(data);
    } catch (error) {
      if (this.#ending) return undefined;
      throw this.#unreadable(data, error);
    }
  }

  #failure(body: string): PilothouseError {
    return serverError(this.#address, statusIn(body), body);
  }

  #unreadable(data: string, cause: unknown): PilothouseError {
    return new PilothouseError('BACKEND_FAILED', `${this.#address.name} sent something that is no answer`, {
      hint: 'Check that the server speaks the OpenAI API.',
      evidence: data.slice(0, 500),
      cause,
    });
  }
}

const codeSchema = z.looseObject({ error: z.looseObject({ code: z.int().min(400).max(599) }) });

/** Status of an error that comes inside a stream: the server's own number where it gives one. */
function statusIn(body: string): number {
  try {
    const parsed = codeSchema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data.error.code : 500;
  } catch {
    // The text of an `error:` line need not be JSON.
    return 500;
  }
}
