import { z } from 'zod';
import { nameSchema } from '../ids/ids.js';
import { batchStateSchema } from '../states/index.js';
import { requestOptionsSchema } from './answer.js';
import { recordBase, timeSchema } from './common.js';

/**
 * Many requests to one service as one thing. Each input is one JSON value: a text (the prompt), or an object with
 * `prompt` or `messages` (chat, complete), `input` (embed), `inputs` (infer) or anything (call); `openai` takes lines of
 * OpenAI's batch format ({custom_id, method, url, body}) and writes such ({id, custom_id, response, error}).
 */
export const batchDescriptionSchema = z
  .strictObject({
    name: nameSchema.optional(),
    /** Id or name of the service. */
    service: z.string().min(1),
    /** `file`: JSON Lines, or plain lines of text (`.txt`); `upload`: id of rows sent with `batches.upload`. */
    input: z.union([
      z.strictObject({ file: z.string().min(1) }),
      z.strictObject({ upload: z.string().regex(/^batch-[0-9a-hjkmnp-tv-z]{10}$/) }),
    ]),
    op: z.enum(['chat', 'complete', 'embed', 'infer', 'call', 'openai']).default('chat'),
    /** Method of a `call`. */
    method: z.string().min(1).optional(),
    /** File of the rows that come out (JSON Lines, appended); default: `<name>.jsonl` in the working directory. */
    out: z.string().min(1).optional(),
    /** Field of an input that tells it from all others; default: `id` (`custom_id`) where all have it, else its line number. */
    key: z.string().min(1).optional(),
    /** `keep` writes a failed row with its error and goes on; `stop` fails the batch at the first. */
    onError: z.enum(['keep', 'stop']).default('keep'),
    /** Tries per row, for what is worth trying again. */
    tries: z.int().min(1).max(100).default(3),
    /** Requests under way at a time; default: found out, so that the instances are never idle. */
    concurrency: z.int().min(1).max(100_000).optional(),
    options: requestOptionsSchema.prefault({}),
    /** Where it runs for an attached service; default: the pilot of the service, else one that is active. */
    pilot: z.string().optional(),
  })
  .meta({ id: 'BatchDescription', title: 'Batch' });
export type BatchDescription = z.input<typeof batchDescriptionSchema>;
export type ResolvedBatchDescription = z.output<typeof batchDescriptionSchema>;

/** How far a batch is. */
export const batchProgressSchema = z.object({
  /** null: the input has not been read to its end. */
  total: z.int().nullable(),
  /** Rows answered, those of earlier runs included. */
  done: z.int(),
  /** Rows that stand in the output with an error. */
  failed: z.int(),
  /** Rows that earlier runs had answered. */
  kept: z.int(),
  inFlight: z.int(),
  /** Rows per second over the last half minute. */
  rate: z.number().nullable(),
  /** When it will be done at this rate. */
  eta: timeSchema.nullable(),
  /** Tokens made so far, as far as the server says. */
  tokens: z.int(),
});
export type BatchProgress = z.infer<typeof batchProgressSchema>;

/** One row that came out. */
export const batchRowSchema = z.object({
  /** Its key: the field named, or the number of its line from 0. */
  key: z.union([z.string(), z.number()]),
  text: z.string().nullable(),
  /** What is not text: vectors, tensors, values of calls. */
  value: z.unknown(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  usage: z.object({ promptTokens: z.int(), completionTokens: z.int() }).nullable(),
  /** Number of the instance, and milliseconds. */
  instance: z.int().nullable(),
  total: z.number().nullable(),
  model: z.string().nullable(),
});
export type BatchRow = z.infer<typeof batchRowSchema>;

/** A batch as it stands now. */
export const batchRecordSchema = z
  .object({
    kind: z.literal('batch'),
    ...recordBase,
    state: batchStateSchema,
    service: z.object({ id: z.string(), name: z.string() }),
    pilot: z.string().nullable(),
    description: batchDescriptionSchema,
    /** Absolute path of the rows that come out. */
    out: z.string(),
    progress: batchProgressSchema,
    /** The latest failed rows, at most 5. */
    failures: z.array(z.object({ key: z.string(), code: z.string(), message: z.string() })).max(5),
  })
  .meta({ id: 'Batch' });
export type BatchRecord = z.infer<typeof batchRecordSchema>;
