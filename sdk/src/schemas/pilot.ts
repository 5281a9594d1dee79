import { z } from 'zod';
import { nameSchema } from '../ids/ids.js';
import { pilotStateSchema } from '../states/index.js';
import { durationSchema } from '../units/duration.js';
import { sizeSchema } from '../units/size.js';
import { recordBase, timeSchema } from './common.js';

/** Names of the engines that can hold resources. */
export const engineNameSchema = z.enum(['local']).meta({ title: 'Where', description: 'Which machine or cluster' });
export type EngineName = z.infer<typeof engineNameSchema>;

/** What a user asks for when they ask for a pilot: resources, held for some time. */
export const pilotDescriptionSchema = z
  .strictObject({
    name: nameSchema.optional(),
    engine: engineNameSchema.default('local'),
    cores: z
      .int()
      .min(1)
      .default(1)
      .meta({ title: 'Cores', description: 'CPU cores held for your tasks and services' }),
    gpus: z.int().min(0).default(0).meta({ title: 'GPUs', description: 'GPUs held; 0 where none are needed' }),
    memory: sizeSchema
      .optional()
      .meta({ title: 'Memory', description: 'For example 4GiB; empty means no limit of its own' }),
    nodes: z.int().min(1).default(1).meta({ title: 'Nodes', description: 'Always 1 on this machine' }),
    runtime: durationSchema
      .default('1h')
      .meta({ title: 'Runtime', description: 'The pilot ends by itself after this time, for example 30m or 1h30m' }),
    idleAfter: durationSchema.optional().meta({
      title: 'End when idle',
      description: 'Gives its resources back after nothing has run for so long; default 15m with GPUs, else 1h',
    }),
  })
  .meta({ id: 'PilotDescription', title: 'Pilot' });
/** A pilot as users describe it: every field may be left out. */
export type PilotDescription = z.input<typeof pilotDescriptionSchema>;
export type ResolvedPilotDescription = z.output<typeof pilotDescriptionSchema>;

/** What of the pilot's resources is in use. */
export const pilotUsageSchema = z.object({
  cores: z.number(),
  gpus: z.number(),
  /** bytes granted, not bytes touched */
  memory: z.number(),
  running: z.int(),
  waiting: z.int(),
  done: z.int(),
  failed: z.int(),
});
export type PilotUsage = z.infer<typeof pilotUsageSchema>;

/** A pilot as it stands now. */
export const pilotRecordSchema = z
  .object({
    kind: z.literal('pilot'),
    ...recordBase,
    state: pilotStateSchema,
    description: pilotDescriptionSchema,
    engine: engineNameSchema,
    /** What it holds: cores, GPUs, memory in bytes (null: no limit of its own), runtime in seconds. */
    resources: z.object({ cores: z.int(), gpus: z.int(), memory: z.number().nullable(), runtime: z.number() }),
    usage: pilotUsageSchema,
    /** Host name of its node, once it runs. */
    node: z.string().nullable(),
    startedAt: timeSchema.nullable(),
    /** When it will end by itself. */
    endsAt: timeSchema.nullable(),
    /** New tasks are taken but not started until it is resumed. */
    suspended: z.boolean(),
    /** Nothing has run since then, and at `endsAt` it ends by itself; null: something runs. */
    idle: z.object({ since: timeSchema, endsAt: timeSchema }).nullable(),
    /** Core and GPU seconds that tasks and services held, over those that there were; null: too early to say. */
    efficiency: z.object({ cores: z.number().nullable(), gpus: z.number().nullable() }).nullable(),
    /** Its own router for requests to services, on its node, with the file of its key; null: not up. */
    gateway: z.object({ url: z.string(), keyFile: z.string() }).nullable(),
  })
  .meta({ id: 'Pilot' });
export type PilotRecord = z.infer<typeof pilotRecordSchema>;

/** What an engine can give here and now, or why it cannot. */
export const engineReportSchema = z
  .object({
    name: engineNameSchema,
    /** As shown: "This machine". */
    title: z.string(),
    available: z.boolean(),
    /** Why not, and what to do instead. */
    reason: z.string().nullable(),
    limits: z.object({
      cores: z.int(),
      gpus: z.int(),
      /** bytes */
      memory: z.number(),
      nodes: z.int(),
      /** seconds; null: no limit */
      runtime: z.number().nullable(),
    }),
    /** What pilots hold of it at the moment. */
    held: z.object({ cores: z.int(), gpus: z.int(), memory: z.number() }),
    /** Where the limits come from, in words: "2 cores by CPU affinity, 24 GiB by cgroup". */
    evidence: z.string(),
    /** End of the surrounding job, where there is one. */
    endsAt: timeSchema.nullable(),
  })
  .meta({ id: 'Engine' });
export type EngineReport = z.infer<typeof engineReportSchema>;
