import { z } from 'zod';
import { requestStateSchema } from '../states/index.js';
import { durationSchema } from '../units/duration.js';
import { recordBase } from './common.js';

export const messageSchema = z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() });
export type Message = z.infer<typeof messageSchema>;

export const chatOptionsSchema = z
  .strictObject({
    maxTokens: z.int().min(1).optional().meta({ title: 'Max tokens' }),
    temperature: z.number().min(0).max(2).optional().meta({ title: 'Temperature' }),
    seed: z.int().optional(),
    /** How long the whole answer may take, waiting for the service included. */
    timeout: durationSchema.default('10m'),
  })
  .meta({ id: 'ChatOptions' });
export type ChatOptions = z.input<typeof chatOptionsSchema>;

/**
 * Timing of one request in milliseconds, taken once, by the router. RT = communication + queue + service + inference;
 * null means "not reported".
 */
export const timingSchema = z
  .object({
    /** Accepted → last byte. */
    total: z.number(),
    /** The client's own way to the router. */
    client: z.number().nullable(),
    /** Connect plus the median health round trip. */
    communication: z.number(),
    /** Accepted → sent, plus what the server reports as waiting. */
    queue: z.number(),
    /** The rest. */
    service: z.number(),
    /** What the server reports. */
    inference: z.number().nullable(),
    /** Accepted → first token. */
    ttft: z.number().nullable(),
    /** Gaps between tokens. */
    gaps: z.object({ p50: z.number(), p99: z.number() }).nullable(),
    tokensPerSecond: z.number().nullable(),
  })
  .meta({ id: 'Timing' });
export type Timing = z.infer<typeof timingSchema>;

export const usageSchema = z.object({ promptTokens: z.int(), completionTokens: z.int() }).meta({ id: 'Usage' });
export type Usage = z.infer<typeof usageSchema>;

/** A request to a service and its answer, as it stands now. */
export const answerRecordSchema = z
  .object({
    kind: z.literal('answer'),
    ...recordBase,
    state: requestStateSchema,
    service: z.object({ id: z.string(), name: z.string() }),
    instance: z.object({ id: z.string(), index: z.int() }).nullable(),
    messages: z.array(messageSchema),
    options: chatOptionsSchema,
    /** All text so far. Left out of `watch`; there in `get`, `submit` and once final. */
    text: z.string().nullable(),
    /** Number of chunks recorded so far; `follow` goes on from any of them. */
    chunks: z.int(),
    finishReason: z.string().nullable(),
    usage: usageSchema.nullable(),
    timing: timingSchema.nullable(),
    model: z.string().nullable(),
    retryOf: z.string().nullable(),
  })
  .meta({ id: 'Answer' });
export type AnswerRecord = z.infer<typeof answerRecordSchema>;

/** A piece of text as the server sent it. */
export const chunkSchema = z.object({
  text: z.string(),
  /** Milliseconds after the request was accepted. */
  at: z.number(),
});
export type Chunk = z.infer<typeof chunkSchema>;

/** Some chunks of an answer, in order: the first has the number `from`, the next batch starts at `next`. */
export const chunkBatchSchema = z
  .object({
    from: z.int(),
    next: z.int(),
    chunks: z.array(chunkSchema),
    /** The record, sent with the first batch, on each change of state, and with the last. */
    answer: answerRecordSchema.nullable(),
    /** Wall clock of the bridge in milliseconds when it read the first of these chunks, for measuring delay on one host. */
    readAt: z.number().nullable(),
  })
  .meta({ id: 'ChunkBatch' });
export type ChunkBatch = z.infer<typeof chunkBatchSchema>;
