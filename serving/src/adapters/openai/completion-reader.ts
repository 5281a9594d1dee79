import type { PilothouseError, Usage } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import type { Outcome, Target } from '../../types.js';
import { emptyAnswer, parseJson, streamCut } from '../http/body.js';
import { EventCutter, type StreamReader } from '../http/stream.js';
import { errorBodySchema, serverError, unreadable } from '../server-error.js';
import { NOTHING_KNOWN } from '../support.js';

const usageSchema = z.looseObject({ prompt_tokens: z.int(), completion_tokens: z.int().default(0) });
/** llama-server tells how long it computed. */
const timingsSchema = z.looseObject({ prompt_ms: z.number(), predicted_ms: z.number() });

const base = {
  model: z.string().nullish(),
  system_fingerprint: z.string().nullish(),
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
        /** Of a chat. */
        delta: z.looseObject({ content: z.string().nullish() }).nullish(),
        /** Of a completion. */
        text: z.string().nullish(),
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
        message: z.looseObject({ content: z.string().nullish() }).nullish(),
        text: z.string().nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
});

const API = 'the OpenAI API';

/**
 * Reads one streamed completion (of a chat or of a prompt), byte for byte as it comes, whatever the cuts between the
 * reads.
 *
 * An answer is complete when the server said why it ended (`finish_reason`) or `[DONE]`; some servers send only one of
 * them. An end of the stream with neither is an error, since the text may have been cut anywhere.
 */
export class CompletionReader implements StreamReader<Outcome> {
  readonly #target: Target;
  readonly #onText: (text: string) => void;
  readonly #events: EventCutter;
  #finishReason: string | null = null;
  #usage: Usage | null = null;
  #model: string | null = null;
  #revision: string | null = null;
  #inference: number | null = null;
  #done = false;
  #empty = true;
  /** Set while the last, unfinished line is tried: what is not whole then is a cut, not a mistake of the server. */
  #ending = false;

  constructor(target: Target, onText: (text: string) => void) {
    this.#target = target;
    this.#onText = onText;
    this.#events = new EventCutter(
      target.name,
      (data) => this.#event(data),
      // Unknown fields are allowed by the format, except that older llama-servers report an error as `error: {…}`.
      (field, value) => {
        if (field === 'error') throw this.#failure(`{"error":${value}}`);
      },
    );
  }

  get finished(): boolean {
    return this.#finishReason !== null || this.#done;
  }

  get done(): boolean {
    return this.#done;
  }

  feed(bytes: Uint8Array): void {
    if (this.#done) return;
    if (bytes.length > 0) this.#empty = false;
    this.#events.feed(bytes);
  }

  end(cause?: unknown): Outcome {
    if (!this.#done) {
      this.#ending = true;
      this.#events.flush();
    }
    if (!this.finished) {
      if (this.#empty && cause === undefined) throw emptyAnswer(this.#target.name, 200);
      throw streamCut(this.#target.name, cause);
    }
    return {
      ...NOTHING_KNOWN,
      finishReason: this.#finishReason,
      usage: this.#usage,
      model: this.#model,
      revision: this.#revision,
      inference: this.#inference,
    };
  }

  /** Takes a whole answer that came as plain JSON. */
  whole(body: string): Outcome {
    if (body.trim() === '') throw emptyAnswer(this.#target.name, 200);
    const json = this.#json(body);
    this.#refuseError(json, body);
    const parsed = completionSchema.safeParse(json);
    if (!parsed.success) throw unreadable(this.#target, API, body, parsed.error);
    const [choice] = parsed.data.choices;
    this.#note(parsed.data);
    const text = choice?.message?.content ?? choice?.text;
    if (text) this.#onText(text);
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
    this.#refuseError(json, data);
    const parsed = chunkSchema.safeParse(json);
    if (!parsed.success) throw unreadable(this.#target, API, data, parsed.error);
    this.#note(parsed.data);
    for (const choice of parsed.data.choices) {
      if (choice.index !== 0) continue;
      const text = choice.delta?.content ?? choice.text;
      if (text) this.#onText(text);
      if (choice.finish_reason) this.#finishReason = choice.finish_reason;
    }
  }

  #note(part: z.infer<z.ZodObject<typeof base>>): void {
    if (part.model) this.#model = part.model;
    if (part.system_fingerprint) this.#revision = part.system_fingerprint;
    if (part.usage) {
      this.#usage = { promptTokens: part.usage.prompt_tokens, completionTokens: part.usage.completion_tokens };
    }
    if (part.timings) this.#inference = part.timings.prompt_ms + part.timings.predicted_ms;
  }

  #refuseError(json: unknown, body: string): void {
    const failed = errorBodySchema.safeParse(json);
    if (failed.success && failed.data.error !== undefined && failed.data.error !== null) throw this.#failure(body);
  }

  #json(data: string): unknown {
    try {
      return JSON.parse(data);
    } catch (error) {
      if (this.#ending) return undefined;
      throw unreadable(this.#target, API, data, error);
    }
  }

  #failure(body: string): PilothouseError {
    return serverError({ target: this.#target, what: 'chat API', remedy: CHAT_REMEDY }, statusIn(body), body);
  }
}

/** What to do where a server has no such path. */
export const CHAT_REMEDY = 'Check that its URL ends in /v1 and that the server is OpenAI-compatible.';

const codeSchema = z.looseObject({ error: z.looseObject({ code: z.int().min(400).max(599) }) });

/** Status of an error that comes inside a stream: the server's own number where it gives one. */
function statusIn(body: string): number {
  const parsed = codeSchema.safeParse(parseJson(body));
  return parsed.success ? parsed.data.error.code : 500;
}
