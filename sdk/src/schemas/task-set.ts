import { z } from 'zod';
import { errorDataSchema } from '../errors/index.js';
import { nameSchema } from '../ids/ids.js';
import { taskSetStateSchema, taskStateSchema } from '../states/index.js';
import { recordBase } from './common.js';
import { payloadSchema, remoteExceptionSchema } from './function.js';
import { taskEntrySchema, taskUsageSchema } from './task.js';

/** What a user asks for when they ask for a task set: a name, and what all its tasks have in common. */
export const taskSetDescriptionSchema = z
  .strictObject({
    name: nameSchema.optional(),
    /** Fields that every task of the set starts from; a task's own come on top (whole fields, nothing is merged deeper). */
    template: taskEntrySchema.default({}),
    /** A task of the latest set of this name that has the same name and description and is DONE is not run again. */
    resume: z.boolean().default(false),
    /** How many tasks will come, where known: for progress before all have been submitted. */
    expected: z.int().min(0).optional(),
  })
  .meta({ id: 'TaskSetDescription', title: 'Task set' });
export type TaskSetDescription = z.input<typeof taskSetDescriptionSchema>;
export type ResolvedTaskSetDescription = z.output<typeof taskSetDescriptionSchema>;

/** How many tasks of a set are where. */
export const taskCountsSchema = z
  .object({
    total: z.int(),
    /** NEW, WAITING, SCHEDULING */
    waiting: z.int(),
    /** STAGING_INPUT, LAUNCHING, RUNNING, STAGING_OUTPUT */
    running: z.int(),
    done: z.int(),
    failed: z.int(),
    canceled: z.int(),
    /** Of `done`: taken over from an earlier set. */
    resumed: z.int(),
  })
  .meta({ id: 'TaskCounts' });
export type TaskCounts = z.infer<typeof taskCountsSchema>;

/** What one task of a set came to. */
export const taskOutcomeSchema = z
  .object({
    /** Place in the order of completion, from 0. */
    index: z.int(),
    id: z.string(),
    name: z.string(),
    /** Number within the set, from 0: the order of submission. */
    number: z.int(),
    state: taskStateSchema,
    attempt: z.int(),
    exitCode: z.int().nullable(),
    error: errorDataSchema.nullable(),
    stderrTail: z.string().nullable(),
    value: payloadSchema.nullable(),
    exception: remoteExceptionSchema.nullable(),
    usage: taskUsageSchema.nullable(),
  })
  .meta({ id: 'TaskOutcome' });
export type TaskOutcome = z.infer<typeof taskOutcomeSchema>;

/** A task set as it stands now. */
export const taskSetRecordSchema = z
  .object({
    kind: z.literal('set'),
    ...recordBase,
    state: taskSetStateSchema,
    /** Bound pilot; null: each task goes to the first that has room. */
    pilot: z.string().nullable(),
    /** More tasks may come; it cannot be final before it is closed. */
    open: z.boolean(),
    expected: z.int().nullable(),
    counts: taskCountsSchema,
    /** Tasks ended per second, over the last half minute; null: too early to say. */
    rate: z.number().nullable(),
    /** seconds until all have ended at this rate; null: too early to say */
    eta: z.number().nullable(),
    /** The first failures, newest last, at most 10. */
    failures: z.array(z.object({ id: z.string(), name: z.string(), error: errorDataSchema })),
    /** The set whose failed tasks it repeats. */
    retryOf: z.string().nullable(),
    /** What its tasks do, in a few words: the command or the function of the template. */
    summary: z.string(),
  })
  .meta({ id: 'TaskSet' });
export type TaskSetRecord = z.infer<typeof taskSetRecordSchema>;

/**
 * A task as one row of a table, small enough for 100,000 of them. Times are milliseconds since 1970.
 * `[id, name, set, state, reason, since, pilot, attempt, cores, gpus, createdAt, startedAt, endedAt, exitCode]`
 */
export const taskRowSchema = z.tuple([
  z.string(),
  z.string(),
  z.string().nullable(),
  taskStateSchema,
  z.string().nullable(),
  z.number(),
  z.string().nullable(),
  z.int(),
  z.number(),
  z.number(),
  z.number(),
  z.number().nullable(),
  z.number().nullable(),
  z.int().nullable(),
]);
export type TaskRow = z.infer<typeof taskRowSchema>;

/** A batch of rows: those that are new or changed since the last. */
export const taskRowsSchema = z
  .object({
    epoch: z.int(),
    seq: z.int(),
    /** Forget what you have. */
    reset: z.boolean(),
    /** The rest of what there was when the stream was opened follows. */
    more: z.boolean(),
    rows: z.array(taskRowSchema),
    removed: z.array(z.string()),
  })
  .meta({ id: 'TaskRows' });
export type TaskRows = z.infer<typeof taskRowsSchema>;

/** Who held which cores and GPUs of a pilot, when: one span per attempt. */
export const timelineSchema = z
  .object({
    nodes: z.array(z.object({ name: z.string(), cores: z.int(), gpus: z.array(z.string()) })),
    spans: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        /** Set of a task, or the service of an instance: what spans are coloured by. */
        group: z.string().nullable(),
        node: z.string(),
        cores: z.array(z.int()),
        gpus: z.array(z.string()),
        /** milliseconds since 1970 */
        start: z.number(),
        end: z.number().nullable(),
        state: z.string(),
      }),
    ),
    /** Older spans were left out. */
    truncated: z.boolean(),
  })
  .meta({ id: 'Timeline' });
export type Timeline = z.infer<typeof timelineSchema>;
