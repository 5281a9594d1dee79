import { z } from 'zod';
import { errorDataSchema } from '../errors/index.js';
import { batchProgressSchema, batchRecordSchema } from '../schemas/batch.js';
import { reasonSchema, timeSchema } from '../schemas/common.js';
import { payloadSchema, remoteExceptionSchema } from '../schemas/function.js';
import { pilotUsageSchema } from '../schemas/pilot.js';
import { probeResultSchema } from '../schemas/probe.js';
import {
  bootstrapSchema,
  endpointSchema,
  instanceLoadSchema,
  instanceRecordSchema,
  methodSchema,
  scaleReportSchema,
} from '../schemas/service-record.js';
import { stagingReportSchema } from '../schemas/staging.js';
import { outputRangeSchema, placementSchema, taskUsageSchema } from '../schemas/task.js';
import { batchStateSchema, instanceStateSchema, pilotStateSchema, taskStateSchema } from '../states/index.js';

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
    /** The agent's own router for requests: address on this node, and the file of its key. */
    gateway: z.object({ url: z.string(), keyFile: z.string() }).optional(),
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
    /** There with the first record of each: an agent that scales adds instances by itself. */
    index: z.int().optional(),
    state: instanceStateSchema,
    attempt: z.int().optional(),
    pid: z.int().optional(),
    reason: reasonSchema.nullable().optional(),
    endpoint: endpointSchema.optional(),
    bootstrap: bootstrapSchema.optional(),
    probe: probeResultSchema.optional(),
    draining: z.boolean().optional(),
    /** Automatic restarts used up so far. */
    restarts: z.int().optional(),
    /** Number of the spool record `restart` that this attempt was started for, or comes after. */
    restarted: z.int().optional(),
    /** Bytes of stdout and stderr that earlier attempts have written into the same files. */
    outputFrom: z.tuple([z.int(), z.int()]).optional(),
    exitCode: z.int().optional(),
    stderrTail: z.string().optional(),
    output: outputRangeSchema.optional(),
    error: errorDataSchema.optional(),
  }),
  /** What is known of a service as a whole. */
  z.object({
    ...stamp,
    type: z.literal('service'),
    id: z.string(),
    scale: scaleReportSchema.optional(),
    /** Number of the last spool record `scale` or `drain` about it that has been carried out. */
    obeyed: z.int().optional(),
    methods: z.array(methodSchema).optional(),
    /** It ends, and nobody asked for it: its time is over, or nobody used it. */
    ending: reasonSchema.optional(),
  }),
  z.object({
    ...stamp,
    type: z.literal('batch'),
    id: z.string(),
    state: batchStateSchema,
    reason: reasonSchema.nullable().optional(),
    progress: batchProgressSchema.optional(),
    failures: batchRecordSchema.shape.failures.optional(),
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
  /** Latest result of each probe of each instance, by instance id and role; only what is not in `probes`. */
  roles: z.record(z.string(), instanceRecordSchema.shape.probes).optional(),
  /** How far instances have loaded, by instance id. */
  loading: z.record(z.string(), z.object({ text: z.string(), share: z.number().nullable() })).optional(),
  /** Requests that the agent's own router has under way, by instance id. */
  loads: z.record(z.string(), instanceLoadSchema).optional(),
  /** How far batches are, by batch id. */
  batches: z.record(z.string(), batchProgressSchema).optional(),
  /** How far staging is, of tasks that are at it, by task. */
  staging: z.record(z.string(), z.array(stagingReportSchema)).optional(),
});
export type Beat = z.infer<typeof beatSchema>;
