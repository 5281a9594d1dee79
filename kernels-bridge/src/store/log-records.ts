import {
  errorDataSchema,
  pilotRecordSchema,
  pilotStateSchema,
  reasonSchema,
  recordKindSchema,
  serviceRecordSchema,
  serviceSpecSchema,
  taskRecordSchema,
  taskSpecSchema,
  timeSchema,
} from '@pilothouse/sdk/internal';
import { z } from 'zod';

const stamp = { seq: z.int(), epoch: z.int(), t: timeSchema };
const key = z.string();

/**
 * One line of `log/<epoch>.jsonl`: what users asked for, and what the bridge itself found out. Everything that agents
 * know lies in their journals instead.
 */
export const logRecordSchema = z.discriminatedUnion('type', [
  z.object({ ...stamp, type: z.literal('pilot.submitted'), key, pilot: pilotRecordSchema }),
  /** What the engine says about a pilot: waiting, starting, gone. */
  z.object({
    ...stamp,
    type: z.literal('pilot.state'),
    id: z.string(),
    state: pilotStateSchema,
    reason: reasonSchema.nullable(),
    error: errorDataSchema.nullable(),
  }),
  z.object({ ...stamp, type: z.literal('pilot.end'), id: z.string() }),
  z.object({ ...stamp, type: z.literal('task.submitted'), key, task: taskRecordSchema, spec: taskSpecSchema }),
  z.object({ ...stamp, type: z.literal('task.cancel'), id: z.string() }),
  /** `spec` is null for a service that is attached, not launched. */
  z.object({
    ...stamp,
    type: z.literal('service.submitted'),
    key,
    service: serviceRecordSchema,
    spec: serviceSpecSchema.nullable(),
  }),
  z.object({ ...stamp, type: z.literal('service.stop'), id: z.string() }),
  z.object({ ...stamp, type: z.literal('forgotten'), kind: recordKindSchema, id: z.string() }),
]);
export type LogRecord = z.infer<typeof logRecordSchema>;

/** A record as a manager hands it over; number, epoch and time are the log's. */
export type LogEntry = LogRecord extends infer R
  ? R extends LogRecord
    ? Omit<R, 'seq' | 'epoch' | 't'>
    : never
  : never;
