import { z } from 'zod';
import { errorDataSchema } from '../errors/index.js';
import { requestStateSchema } from '../states/index.js';
import { durationSchema } from '../units/duration.js';
import { recordBase } from './common.js';

/** A piece of a message: text, or an image that is read next to the instance (a path there; never through Pilothouse). */
export const partSchema = z.union([z.strictObject({ text: z.string() }), z.strictObject({ image: z.string().min(1) })]);
export type Part = z.infer<typeof partSchema>;

export const messageSchema = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.union([z.string(), z.array(partSchema).min(1)]),
});
export type Message = z.infer<typeof messageSchema>;

/** A tensor of the Open Inference Protocol v2: `data` flat, in row-major order. */
export const tensorSchema = z.strictObject({
  name: z.string(),
  shape: z.array(z.int().min(0)),
  datatype: z.enum([
    'BOOL',
    'UINT8',
    'UINT16',
    'UINT32',
    'UINT64',
    'INT8',
    'INT16',
    'INT32',
    'INT64',
    'FP16',
    'FP32',
    'FP64',
    'BYTES',
  ]),
  data: z.array(z.union([z.number(), z.string(), z.boolean()])),
});
export type Tensor = z.infer<typeof tensorSchema>;

/** What is asked of a service; which of them a service takes follows from its API. */
export const requestSchema = z.discriminatedUnion('op', [
  /** openai, ollama */
  z.strictObject({ op: z.literal('chat'), messages: z.array(messageSchema).min(1) }),
  /** Text that goes on from the prompt. openai, ollama */
  z.strictObject({ op: z.literal('complete'), prompt: z.string() }),
  /** One vector per text. openai, ollama */
  z.strictObject({ op: z.literal('embed'), input: z.array(z.string()).min(1).max(2048) }),
  /** open-inference; `stream` takes the answer in pieces (`infer_stream`). */
  z.strictObject({
    op: z.literal('infer'),
    inputs: z.array(tensorSchema).min(1),
    outputs: z.array(z.string()).optional(),
    stream: z.boolean().default(false),
  }),
  /** A method of a service of one's own. zeromq, ru-zmq */
  z.strictObject({
    op: z.literal('call'),
    method: z.string().min(1),
    input: z.unknown(),
    stream: z.boolean().default(false),
  }),
  /** rest */
  z.strictObject({
    op: z.literal('rest'),
    method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
    path: z.string().startsWith('/'),
    body: z.unknown().optional(),
  }),
]);
export type ServiceRequest = z.output<typeof requestSchema>;
export type ServiceRequestInput = z.input<typeof requestSchema>;
export type RequestOp = ServiceRequest['op'];

/** Limits and ways of one request, whatever it asks. */
export const requestOptionsSchema = z
  .strictObject({
    /** How long the whole answer may take, waiting for the service included. */
    timeout: durationSchema.default('10m'),
    /** Higher goes first where requests wait. */
    priority: z.int().min(-100).max(100).optional(),
    /** Requests of one session go to one instance, where the policy is `session-affinity`. */
    session: z.string().min(1).max(256).optional(),
    /** Number of the one instance to ask. */
    instance: z.int().min(1).optional(),
    /** As in the service's routing, for this request. */
    attemptTimeout: durationSchema.optional(),
    hedgeAfter: durationSchema.optional(),
    maxTokens: z.int().min(1).optional().meta({ title: 'Max tokens' }),
    temperature: z.number().min(0).max(2).optional().meta({ title: 'Temperature' }),
    topP: z.number().gt(0).max(1).optional().meta({ title: 'Top p' }),
    seed: z.int().optional().meta({ title: 'Seed' }),
    stop: z.array(z.string().min(1)).max(16).optional().meta({ title: 'Stop at' }),
    /** Further sampling parameters, passed on as they are. */
    extra: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'RequestOptions' });
export type RequestOptions = z.input<typeof requestOptionsSchema>;
/** What a chat takes beside its messages. */
export type ChatOptions = RequestOptions;

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
    /** What was asked. */
    request: requestSchema,
    options: requestOptionsSchema,
    /** All text so far. Left out of `watch`; there in `get`, `submit` and once final. */
    text: z.string().nullable(),
    /** Number of chunks recorded so far; `follow` goes on from any of them. */
    chunks: z.int(),
    finishReason: z.string().nullable(),
    usage: usageSchema.nullable(),
    timing: timingSchema.nullable(),
    /** Name of the model as the server gives it, and its revision where it says so. */
    model: z.string().nullable(),
    revision: z.string().nullable(),
    /** What came back where that is not text: vectors, tensors, the value of a call. Like `text`, left out of `watch`. */
    value: z.unknown(),
    /** Instances that were asked in vain before, with what went wrong there. */
    attempts: z.array(z.object({ instance: z.int(), error: errorDataSchema })),
    retryOf: z.string().nullable(),
  })
  .meta({ id: 'Answer' });
export type AnswerRecord = z.infer<typeof answerRecordSchema>;

/** A piece of an answer as the server sent it. */
export const chunkSchema = z.object({
  text: z.string(),
  /** Milliseconds after the request was accepted. */
  at: z.number(),
  /** A piece that is not text; `text` is empty then. */
  data: z.unknown().optional(),
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
