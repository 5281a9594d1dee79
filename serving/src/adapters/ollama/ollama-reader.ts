import type { Usage } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import type { Outcome, Target } from '../../types.js';
import { emptyAnswer, streamCut } from '../http/body.js';
import { LineCutter, type StreamReader } from '../http/stream.js';
import { serverError, unreadable } from '../server-error.js';
import { NOTHING_KNOWN } from '../support.js';

const nanoseconds = z.number().nonnegative().nullish();

/** One line of a stream; the last has `done: true` and what the server has counted. */
const lineSchema = z.looseObject({
  error: z.string().nullish(),
  model: z.string().nullish(),
  /** Of `/api/chat`. */
  message: z.looseObject({ content: z.string().nullish() }).nullish(),
  /** Of `/api/generate`. */
  response: z.string().nullish(),
  done: z.boolean().default(false),
  done_reason: z.string().nullish(),
  prompt_eval_count: z.int().nullish(),
  eval_count: z.int().nullish(),
  prompt_eval_duration: nanoseconds,
  eval_duration: nanoseconds,
});
type Line = z.infer<typeof lineSchema>;

/** What Ollama says of its own work, in our words. */
function counts(line: Pick<Line, 'prompt_eval_count' | 'eval_count' | 'prompt_eval_duration' | 'eval_duration'>): {
  usage: Usage | null;
  inference: number | null;
} {
  const { prompt_eval_count: prompt, eval_count: completion } = line;
  const parts = [line.prompt_eval_duration, line.eval_duration].filter((part) => typeof part === 'number');
  return {
    // A prompt that it still has from before is left out of its counts.
    usage:
      prompt == null && completion == null ? null : { promptTokens: prompt ?? 0, completionTokens: completion ?? 0 },
    inference: parts.length === 0 ? null : parts.reduce((sum, part) => sum + part, 0) / 1e6,
  };
}

/** Reads one streamed answer: a JSON object per line, the last one with `done: true`. */
export class OllamaReader implements StreamReader<Outcome> {
  readonly #target: Target;
  readonly #onText: (text: string) => void;
  readonly #lines: LineCutter;
  #outcome: Outcome | null = null;
  #empty = true;
  #ending = false;

  constructor(target: Target, onText: (text: string) => void) {
    this.#target = target;
    this.#onText = onText;
    this.#lines = new LineCutter(target.name, (line) => this.#line(line));
  }

  get finished(): boolean {
    return this.#outcome !== null;
  }

  get done(): boolean {
    return this.#outcome !== null;
  }

  feed(bytes: Uint8Array): void {
    if (this.done) return;
    if (bytes.length > 0) this.#empty = false;
    this.#lines.feed(bytes);
  }

  end(cause?: unknown): Outcome {
    if (!this.done) {
      this.#ending = true;
      this.#lines.flush();
    }
    if (this.#outcome !== null) return this.#outcome;
    if (this.#empty && cause === undefined) throw emptyAnswer(this.#target.name, 200);
    throw streamCut(this.#target.name, cause);
  }

  #line(text: string): void {
    if (this.done) return;
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      // A line without its end is a cut, not a mistake of the server.
      if (this.#ending) return;
      throw unreadable(this.#target, 'the Ollama API', text, error);
    }
    const parsed = lineSchema.safeParse(json);
    if (!parsed.success) throw unreadable(this.#target, 'the Ollama API', text, parsed.error);
    const line = parsed.data;
    if (line.error) {
      throw serverError({ target: this.#target, what: 'Ollama API', remedy: OLLAMA_REMEDY }, 500, text);
    }
    const piece = line.message?.content ?? line.response;
    if (piece) this.#onText(piece);
    if (line.done) {
      this.#outcome = {
        ...NOTHING_KNOWN,
        ...counts(line),
        finishReason: line.done_reason ?? 'stop',
        model: line.model ?? null,
      };
    }
  }
}

/** What to do where a server has no such path. */
export const OLLAMA_REMEDY = 'Check that an Ollama server answers there: GET /api/tags lists its models.';
