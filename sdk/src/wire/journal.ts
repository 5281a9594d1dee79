import { z } from 'zod';
import { errorDataSchema } from '../errors/index.js';
import { reasonSchema, timeSchema } from '../schemas/common.js';
import { payloadSchema, remoteExceptionSchema } from '../schemas/function.js';
import { pilotUsageSchema } from '../schemas/pilot.js';
import { bootstrapSchema, endpointSchema, probeResultSchema } from '../schemas/service.js';
import { stagingReportSchema } from '../schemas/staging.js';
import { outputRangeSchema, placementSchema, taskUsageSchema } from '../schemas/task.js';
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
    suspended: z.boolean().optional(),
    idle: z.object({ since: timeSchema, endsAt: timeSchema }).nullable().optional(),
    efficiency: z.object({ cores: z.number().nullable(), gpus: z.number().nullable() }).optional(),
  }),
  /** Tasks that were offered to several pilots are this one's. */
  z.object({ ...stamp, type: z.literal('claimed'), offer: z.string(), tasks: z.array(z.string()) }),
  z.object({
    ...stamp,
    type: z.literal('task'),
    id: z.string(),
    state: taskStateSchema,
    /** States it was in only briefly since its last record, with when it entered them: told along, to save records. */
    passed: z.array(z.tuple([taskStateSchema, timeSchema])).optional(),
    attempt: z.int().optional(),
    /** Retries used up so far; attempts that were lost, or cut off with the pilot, are not among them. */
    retries: z.int().optional(),
    /** bytes it asks for from now on, after it ran out of memory */
    memory: z.number().optional(),
    pid: z.int().optional(),
    reason: reasonSchema.nullable().optional(),
    exitCode: z.int().optional(),
    signal: z.string().optional(),
    stderrTail: z.string().optional(),
    output: outputRangeSchema.optional(),
    error: errorDataSchema.optional(),
    placement: placementSchema.optional(),
    usage: taskUsageSchema.optional(),
    staging: z.array(stagingReportSchema).optional(),
    value: payloadSchema.optional(),
    exception: remoteExceptionSchema.optional(),
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
  /** How far staging is, of tasks that are at it, by task. */
  staging: z.record(z.string(), z.array(stagingReportSchema)).optional(),
});
export type Beat = z.infer<typeof beatSchema>;
