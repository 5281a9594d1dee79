import {
  batchRecordSchema,
  batchSpecSchema,
  errorDataSchema,
  instancesSchema,
  outputRangeSchema,
  payloadSchema,
  pilotRecordSchema,
  pilotStateSchema,
  reasonSchema,
  recordKindSchema,
  type SpooledTask,
  serviceRecordSchema,
  serviceSpecSchema,
  taskEntrySchema,
  taskSetDescriptionSchema,
  taskUsageSchema,
  timeSchema,
} from '@pilothouse/sdk/internal';
import { z } from 'zod';
import { earlierPilot, earlierService, earlierSpec } from './earlier-records.js';

const stamp = { seq: z.int(), epoch: z.int(), t: timeSchema };
const key = z.string();
const ids = z.array(z.string());
const environment = z.record(z.string(), z.string());

/** Logs are read for as long as what they tell of is kept: also those of earlier versions. */
const pilot = z.preprocess(earlierPilot, pilotRecordSchema);
const service = z.preprocess(earlierService, serviceRecordSchema);
const spec = z.preprocess(earlierSpec, serviceSpecSchema.nullable());

/** Tasks that stand in the spools of several pilots, the first of which takes them. */
const offerSchema = z.object({ id: z.string(), pilots: ids });

/** What a task of an earlier set came to, taken over instead of running the same again. */
const takenOverSchema = z.object({
  from: z.string(),
  pilot: z.string().nullable(),
  exitCode: z.int().nullable(),
  output: outputRangeSchema.nullable(),
  value: payloadSchema.nullable(),
  usage: taskUsageSchema.nullable(),
});

/** Task sets as they begin. */
const setFactsSchema = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.string(),
  createdAt: timeSchema,
  description: taskSetDescriptionSchema,
  env: environment,
  cwd: z.string(),
  pilot: z.string().nullable(),
  retryOf: z.string().nullable(),
});

/**
 * Tasks were checked when they were submitted, and there are very many: reading them back only makes sure that the line
 * is one of ours.
 */
const spooledTask = z.custom<SpooledTask>(
  (task) =>
    typeof task === 'object' &&
    task !== null &&
    'id' in task &&
    typeof task.id === 'string' &&
    'name' in task &&
    typeof task.name === 'string' &&
    'entry' in task &&
    typeof task.entry === 'object' &&
    task.entry !== null,
  'no task',
);

/**
 * One line of `log/<epoch>.jsonl`: what users asked for, and what the bridge itself found out. Everything that agents
 * know lies in their journals instead.
 */
export const logRecordSchema = z.discriminatedUnion('type', [
  z.object({ ...stamp, type: z.literal('pilot.submitted'), key, pilot }),
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
  z.object({ ...stamp, type: z.literal('set.opened'), key, set: setFactsSchema }),
  z.object({ ...stamp, type: z.literal('set.closed'), id: z.string() }),
  /** Tasks of a set, or such as belong to none. Those of a set start from what the set says. */
  z.object({
    ...stamp,
    type: z.literal('tasks.submitted'),
    set: z.string().nullable(),
    pilot: z.string().nullable(),
    /** They were asked for on this very pilot. */
    named: z.boolean().optional(),
    offer: offerSchema.optional(),
    owner: z.string().optional(),
    template: taskEntrySchema.optional(),
    env: environment.optional(),
    cwd: z.string().optional(),
    /** In the order of the tasks. */
    keys: z.array(key).optional(),
    /** By id of the task. */
    retryOf: z.record(z.string(), z.string()).optional(),
    resumed: z.record(z.string(), takenOverSchema).optional(),
    tasks: z.array(spooledTask),
  }),
  /** They go elsewhere: to a pilot, on offer, or back to waiting for one. */
  z.object({
    ...stamp,
    type: z.literal('tasks.placed'),
    tasks: ids,
    pilot: z.string().nullable(),
    offer: offerSchema.optional(),
    /** Attempts of each that had begun elsewhere. */
    attempts: z.array(z.int()).optional(),
  }),
  z.object({ ...stamp, type: z.literal('tasks.cancel'), tasks: ids.optional(), set: z.string().optional() }),
  /** No agent has them, and they can never start. */
  z.object({ ...stamp, type: z.literal('tasks.failed'), tasks: ids, error: errorDataSchema }),
  /** The order in which tasks of a set ended, where it does not follow from one journal alone. */
  z.object({ ...stamp, type: z.literal('set.order'), set: z.string(), from: z.int(), numbers: z.array(z.int()) }),
  /** `spec` is null for a service that is attached, not launched. */
  z.object({
    ...stamp,
    type: z.literal('service.submitted'),
    key,
    service,
    spec,
  }),
  z.object({ ...stamp, type: z.literal('service.stop'), id: z.string() }),
  /** It, or one instance of it, stops once what it has under way is answered. */
  z.object({ ...stamp, type: z.literal('service.drain'), id: z.string(), instance: z.string().optional() }),
  z.object({ ...stamp, type: z.literal('service.scaled'), id: z.string(), instances: instancesSchema }),
  z.object({ ...stamp, type: z.literal('batch.submitted'), key, batch: batchRecordSchema, spec: batchSpecSchema }),
  z.object({ ...stamp, type: z.literal('batch.cancel'), id: z.string() }),
  z.object({ ...stamp, type: z.literal('forgotten'), kind: recordKindSchema, id: z.string() }),
  /**
   * Things that ended long ago leave the lists, whatever state they seem to be in when this is replayed: their journals
   * are gone. `tasks` are those that belong to no set.
   */
  z.object({
    ...stamp,
    type: z.literal('dropped'),
    pilots: ids,
    sets: ids,
    tasks: ids,
    services: ids,
    batches: ids.default([]),
  }),
]);

type Written = z.infer<typeof logRecordSchema>;

/** A record as it is applied. Tasks that were just serialised bring their text along, so that it is made once. */
export type LogRecord = Written & { readonly texts?: readonly string[] };

/** A record as a manager hands it over; number, epoch and time are the log's. */
export type LogEntry = Written extends infer R
  ? R extends Written
    ? Omit<R, 'seq' | 'epoch' | 't'> & { readonly texts?: readonly string[] }
    : never
  : never;

/** The line of a record. */
export function lineOf(record: LogRecord): string {
  if (record.type !== 'tasks.submitted' || record.texts === undefined) return JSON.stringify(record);
  const { texts, tasks, ...head } = record;
  return withTasks(head, tasks, texts);
}

/** A record with tasks whose texts are there already; they follow what else it says. */
export function withTasks(head: object, tasks: readonly { readonly id: string }[], texts: readonly string[]): string {
  const body = tasks.map(({ id }, index) => `{"id":"${id}",${texts[index]}`).join(',');
  return `${JSON.stringify(head).slice(0, -1)},"tasks":[${body}]}`;
}
