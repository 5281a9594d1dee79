import {
  answerRecordSchema,
  chunkSchema,
  errorDataSchema,
  idSchema,
  requestStateSchema,
  timeSchema,
  timingSchema,
  usageSchema,
} from '@pilothouse/sdk/internal';
import { z } from 'zod';
import { earlierAnswer } from '../../store/earlier-records.js';

const answer = z.preprocess(earlierAnswer, answerRecordSchema);
const stamp = { seq: z.int(), epoch: z.int(), t: timeSchema };

/**
 * One line of `calls/<epoch>.jsonl`: requests to services and what came back, so that an answer can be shown again after
 * its bridge, kernel and page have gone.
 */
export const callRecordSchema = z.discriminatedUnion('type', [
  /** Accepted; stands on disk before the caller is told, so that nothing is ever asked twice. */
  z.object({ ...stamp, type: z.literal('request'), key: z.string(), answer }),
  /** An instance has begun to answer. */
  z.object({
    ...stamp,
    type: z.literal('started'),
    id: z.string(),
    /** When its state was entered, which is a little before the line was written. */
    at: timeSchema,
    instance: z.object({ id: z.string(), index: z.int() }),
  }),
  /** Pieces of text, at most 100 ms after they were read; the first has the number `from`. */
  z.object({ ...stamp, type: z.literal('chunks'), id: z.string(), from: z.int(), chunks: z.array(chunkSchema) }),
  z.object({
    ...stamp,
    type: z.literal('ended'),
    id: z.string(),
    at: timeSchema,
    state: requestStateSchema,
    finishReason: z.string().nullable(),
    usage: usageSchema.nullable(),
    timing: timingSchema.nullable(),
    model: z.string().nullable(),
    /** What older bridges did not write. */
    revision: z.string().nullable().default(null),
    value: z.unknown(),
    attempts: answerRecordSchema.shape.attempts.default([]),
    error: errorDataSchema.nullable(),
  }),
  /** A cell shows it, or has written its final bundle. */
  z.object({ ...stamp, type: z.literal('viewed'), id: z.string(), view: idSchema('view'), confirmed: z.boolean() }),
  /** No longer kept. */
  z.object({ ...stamp, type: z.literal('dropped'), id: z.string() }),
  /** The log was written anew: whatever is still kept of older records follows. */
  z.object({ ...stamp, type: z.literal('rewritten') }),
  /** A whole answer, carried over when a log is written anew without what is no longer kept. */
  z.object({
    ...stamp,
    type: z.literal('kept'),
    key: z.string(),
    answer,
    chunks: z.array(chunkSchema),
    views: z.array(idSchema('view')),
  }),
]);
export type CallRecord = z.infer<typeof callRecordSchema>;

/** A record as it is handed over; number, epoch and time are the log's. */
export type CallEntry = CallRecord extends infer R
  ? R extends CallRecord
    ? Omit<R, 'seq' | 'epoch' | 't'>
    : never
  : never;
