import { z } from 'zod';
import { errorDataSchema } from '../errors/index.js';
import { reasonSchema, timeSchema } from '../schemas/common.js';
import { pilotUsageSchema } from '../schemas/pilot.js';
import { bootstrapSchema, endpointSchema, probeResultSchema } from '../schemas/service.js';
import { outputRangeSchema } from '../schemas/task.js';
import { instanceStateSchema, pilotStateSchema, taskStateSchema } from '../states/index.js';

const stamp = {
  /** One number line per pilot, over all epochs of its agent. */
  seq: z.int(),
  /** How often the agent has been started. */
  epoch: z.int(),
  t: timeSchema,
};

/**
 * One line of `pilots/<id>/journal/<epoch>.jsonl`, written by the agent. Each says the new state and what is known with
 * it; fields that are absent keep their last value.
 */
export const journalRecordSchema = z.discriminatedUnion('type', [
  z.object({
    ...stamp,
    type: z.literal('pilot'),
    state: pilotStateSchema,
    node: z.string().optional(),
    startedAt: timeSchema.optional(),
    endsAt: timeSchema.optional(),
    reason: reasonSchema.nullable().optional(),
    error: errorDataSchema.optional(),
  }),
  z.object({
    ...stamp,
    type: z.literal('task'),
    id: z.string(),
    state: taskStateSchema,
    attempt: z.int().optional(),
    pid: z.int().optional(),
    reason: reasonSchema.nullable().optional(),
    exitCode: z.int().optional(),
    signal: z.string().optional(),
    stderrTail: z.string().optional(),
    output: outputRangeSchema.optional(),
    error: errorDataSchema.optional(),
  }),
  z.object({
    ...stamp,
    type: z.literal('instance'),
    service: z.string(),
    id: z.string(),
    state: instanceStateSchema,
    attempt: z.int().optional(),
    pid: z.int().optional(),
    reason: reasonSchema.nullable().optional(),
    endpoint: endpointSchema.optional(),
    bootstrap: bootstrapSchema.optional(),
    probe: probeResultSchema.optional(),
    exitCode: z.int().optional(),
    stderrTail: z.string().optional(),
    output: outputRangeSchema.optional(),
    error: errorDataSchema.optional(),
  }),
  /** A spool record that could not be used at all (not valid, or older than the epoch obeyed). */
  z.object({ ...stamp, type: z.literal('refused'), spoolSeq: z.int(), error: errorDataSchema }),
]);
export type JournalRecord = z.infer<typeof journalRecordSchema>;

/** What a beat of an agent carries; never journaled. */
export const beatSchema = z.object({
  usage: pilotUsageSchema,
  /** Latest probe of each instance, by instance id. */
  probes: z.record(z.string(), probeResultSchema),
});
export type Beat = z.infer<typeof beatSchema>;
