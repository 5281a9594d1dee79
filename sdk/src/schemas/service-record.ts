import { z } from 'zod';
import { errorDataSchema } from '../errors/index.js';
import { instanceStateSchema, serviceStateSchema } from '../states/index.js';
import { contactSchema, reasonSchema, recordBase, timeSchema } from './common.js';
import { probeResultSchema } from './probe.js';
import { attachDescriptionSchema, serviceApiSchema, serviceDescriptionSchema } from './service.js';
import { outputRangeSchema } from './task.js';

/** Bootstrap time in milliseconds: launch (asked → process runs) + init (→ ready probe passes) + publish (→ known to Pilothouse). */
export const bootstrapSchema = z.object({ launch: z.number(), init: z.number(), publish: z.number() });
export type Bootstrap = z.infer<typeof bootstrapSchema>;

/** Where an instance answers. The key lies in a file (0600) and is never part of a record's text. */
export const endpointSchema = z.object({
  /** Address of its first port: `http://127.0.0.1:41233` (without the API's prefix) or `tcp://127.0.0.1:41233`. */
  url: z.string(),
  /** Address of each named port. */
  ports: z.record(z.string(), z.string()),
  /** Absolute path of the file that holds the key; null: none asked for. */
  keyFile: z.string().nullable(),
  /** Public CURVE key of a ZeroMQ service (Z85); null where there is none. */
  serverKey: z.string().nullable(),
});
export type Endpoint = z.infer<typeof endpointSchema>;

/** What is known of the work of one instance. */
export const instanceLoadSchema = z.object({
  /** Requests under way there, as far as Pilothouse passed them on. */
  outstanding: z.int(),
  /** Milliseconds, median of the last ones; null: none yet. */
  p50: z.number().nullable(),
  /** Left out until then after failures in a row; null: not left out. */
  ejectedUntil: timeSchema.nullable(),
  /** Why it is left out. */
  why: z.string().nullable(),
});
export type InstanceLoad = z.infer<typeof instanceLoadSchema>;

/** One running copy of a service. */
export const instanceRecordSchema = z
  .object({
    id: z.string(),
    /** 1, 2, 3 …: shown as "instance 1". */
    index: z.int(),
    state: instanceStateSchema,
    since: timeSchema,
    reason: reasonSchema.nullable(),
    contact: contactSchema,
    attempt: z.int(),
    endpoint: endpointSchema.nullable(),
    bootstrap: bootstrapSchema.nullable(),
    /** The latest look that decides whether requests come. */
    probe: probeResultSchema.nullable(),
    /** The latest result of each probe, by its role. */
    probes: z.partialRecord(z.enum(['startup', 'readiness', 'liveness']), probeResultSchema),
    /** How far it has loaded, from what it writes while INITIALIZING; `share` 0 to 1. */
    progress: z.object({ text: z.string(), share: z.number().nullable() }).nullable(),
    /** Takes nothing new; stops when what it has is answered. */
    draining: z.boolean(),
    load: instanceLoadSchema.nullable(),
    exitCode: z.int().nullable(),
    stderrTail: z.string().nullable(),
    output: outputRangeSchema.nullable(),
    error: errorDataSchema.nullable(),
    times: z.record(z.string(), timeSchema),
  })
  .meta({ id: 'Instance' });
export type InstanceRecord = z.infer<typeof instanceRecordSchema>;

/** One method of a service of one's own. */
export const methodSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  /** JSON Schema (draft 2020-12) of its input, output, and of each chunk where it streams. */
  input: z.record(z.string(), z.unknown()),
  output: z.record(z.string(), z.unknown()),
  chunk: z.record(z.string(), z.unknown()).nullable(),
});
export type Method = z.infer<typeof methodSchema>;

/** How many instances there should be at the moment, and why. */
export const scaleReportSchema = z.object({
  min: z.int(),
  max: z.int(),
  wanted: z.int(),
  /** "2 → 3: 14 requests for 2 instances, for 3 s"; null: it has not scaled yet. */
  why: z.string().nullable(),
  since: timeSchema.nullable(),
});
export type ScaleReport = z.infer<typeof scaleReportSchema>;

/** A service as it stands now. */
export const serviceRecordSchema = z
  .object({
    kind: z.literal('service'),
    ...recordBase,
    state: serviceStateSchema,
    api: serviceApiSchema,
    /** `launched` by a pilot of ours, or `attached`. */
    origin: z.enum(['launched', 'attached']),
    description: z.union([serviceDescriptionSchema, attachDescriptionSchema]),
    template: z.string().nullable(),
    pilot: z.string().nullable(),
    model: z.string().nullable(),
    /** Base URL of an attached service. */
    url: z.string().nullable(),
    credential: z.string().nullable(),
    openToNode: z.boolean(),
    /** Live ones, and those that ended last. */
    instances: z.array(instanceRecordSchema),
    /** null for a fixed number of instances. */
    scale: scaleReportSchema.nullable(),
    /** What it can do, where it says so itself. */
    methods: z.array(methodSchema).nullable(),
    /** Requests through Pilothouse: under way, waiting, and of the last minute. */
    load: z.object({
      outstanding: z.int(),
      queued: z.int(),
      /** Milliseconds, median and 99th percentile of the last 200 totals. */
      p50: z.number().nullable(),
      p99: z.number().nullable(),
      /** Requests ended per second and failed, over the last minute. */
      perSecond: z.number(),
      failed: z.int(),
      /** The last totals in milliseconds, oldest first. */
      recent: z.array(z.number()).max(20),
    }),
  })
  .meta({ id: 'Service' });
export type ServiceRecord = z.infer<typeof serviceRecordSchema>;

/** Requests to a service over time: one element per bucket, oldest first. Times in milliseconds; means of the parts of RT. */
export const serviceStatisticsSchema = z
  .object({
    /** Length of a bucket in seconds. */
    step: z.number(),
    buckets: z.array(
      z.object({
        at: timeSchema,
        count: z.int(),
        failed: z.int(),
        p50: z.number().nullable(),
        p99: z.number().nullable(),
        communication: z.number(),
        queue: z.number(),
        service: z.number(),
        inference: z.number(),
        /** Most requests waiting at a time. */
        queued: z.int(),
      }),
    ),
  })
  .meta({ id: 'ServiceStatistics' });
export type ServiceStatistics = z.infer<typeof serviceStatisticsSchema>;
