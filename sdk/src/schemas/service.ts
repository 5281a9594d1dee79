import { z } from 'zod';
import { errorDataSchema } from '../errors/index.js';
import { nameSchema } from '../ids/ids.js';
import { instanceStateSchema, serviceStateSchema } from '../states/index.js';
import { durationSchema, lastsBetween } from '../units/duration.js';
import { contactSchema, reasonSchema, recordBase, timeSchema } from './common.js';
import { outputRangeSchema, resourcesSchema } from './task.js';

/** Which API a service speaks. */
export const serviceApiSchema = z.enum(['openai']).meta({ title: 'API' });
export type ServiceApi = z.infer<typeof serviceApiSchema>;

/** Shorter ones would keep the server, and the agent beside it, from their work. */
const probeDurationSchema = durationSchema.refine(
  (duration) => lastsBetween(duration, 0.1, 86400),
  'between 100ms and 1d',
);

/** How to tell whether an instance is ready and alive. */
export const probeSchema = z
  .strictObject({
    /** GET on this path; 2xx passes. */
    http: z.string().startsWith('/'),
    interval: probeDurationSchema.default('5s'),
    timeout: probeDurationSchema.default('2s'),
    /** Consecutive failures after which the instance counts as not answering. */
    failures: z.int().min(1).default(3),
  })
  .meta({ id: 'Probe' });
export type Probe = z.output<typeof probeSchema>;

/**
 * What a user asks for when they ask for a model service: a template with parameters, or a command of their own.
 * In `command` and `env` the words `{port}`, `{host}`, `{cores}`, `{apiKeyFile}` stand for what the instance gets.
 */
export const serviceDescriptionSchema = z
  .strictObject({
    name: nameSchema.optional(),
    template: z.string().optional().meta({ title: 'Template' }),
    params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
    command: z.array(z.string()).min(1).optional(),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
    cwd: z.string().min(1).optional(),
    api: serviceApiSchema.default('openai'),
    /** Model name sent with each request; default: the first that the server lists. */
    model: z.string().optional(),
    resources: resourcesSchema.prefault({}),
    instances: z.int().min(1).max(64).default(1).meta({ title: 'Instances', description: 'Running copies' }),
    ready: probeSchema.prefault({ http: '/health' }),
    /** How long an instance may take to become ready. */
    startTimeout: durationSchema.default('5m'),
    /** Automatic restarts of an instance before it counts as failed. */
    restarts: z.int().min(0).default(3),
    /** Start it although it asks for no key; it is then marked "open to users of this node". */
    allowUnauthenticated: z.boolean().default(false),
    pilot: z.string().optional(),
  })
  .meta({ id: 'ServiceDescription', title: 'Service' });
/** A service as users describe it. */
export type ServiceDescription = z.input<typeof serviceDescriptionSchema>;
export type ResolvedServiceDescription = z.output<typeof serviceDescriptionSchema>;

/** A running service that somebody else started. */
export const attachDescriptionSchema = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).meta({
      title: 'URL',
      description: 'Base URL of an OpenAI-compatible API, ending in /v1',
      examples: ['http://127.0.0.1:8000/v1'],
    }),
    name: nameSchema.optional(),
    /** Name of a stored credential; the secret itself never travels in a description. */
    credential: nameSchema.optional().meta({
      title: 'Credential',
      description: 'The stored key that the server asks for; none for a server without a key',
    }),
    model: z.string().optional().meta({ title: 'Model', description: 'Empty: the first model that the server lists' }),
    allowUnauthenticated: z.boolean().default(false).meta({
      title: 'Allow a server without a key',
      description: 'Such a server answers everybody who reaches its port',
    }),
  })
  .meta({ id: 'AttachDescription', title: 'Attach service' });
export type AttachDescription = z.input<typeof attachDescriptionSchema>;
export type ResolvedAttachDescription = z.output<typeof attachDescriptionSchema>;

/** Bootstrap time in milliseconds: launch (asked → process runs) + init (→ ready probe passes) + publish (→ known to Pilothouse). */
export const bootstrapSchema = z.object({ launch: z.number(), init: z.number(), publish: z.number() });
export type Bootstrap = z.infer<typeof bootstrapSchema>;

/** Result of the latest probe. */
export const probeResultSchema = z.object({
  ok: z.boolean(),
  at: timeSchema,
  /** milliseconds */
  latency: z.number(),
  text: z.string(),
});
export type ProbeResult = z.infer<typeof probeResultSchema>;

/** Named address of an instance. The key lies in a file (0600) and is never part of a record's text. */
export const endpointSchema = z.object({
  /** Base URL without the API's prefix: `http://127.0.0.1:41233`. */
  http: z.string(),
  /** Absolute path of the file that holds the key; null: none asked for. */
  keyFile: z.string().nullable(),
});
export type Endpoint = z.infer<typeof endpointSchema>;

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
    probe: probeResultSchema.nullable(),
    exitCode: z.int().nullable(),
    stderrTail: z.string().nullable(),
    output: outputRangeSchema.nullable(),
    error: errorDataSchema.nullable(),
    times: z.record(z.string(), timeSchema),
  })
  .meta({ id: 'Instance' });
export type InstanceRecord = z.infer<typeof instanceRecordSchema>;

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
    instances: z.array(instanceRecordSchema),
    /** Requests being answered and waiting, and the median total of the last ones in milliseconds. */
    load: z.object({
      outstanding: z.int(),
      queued: z.int(),
      p50: z.number().nullable(),
      recent: z.array(z.number()).max(20),
    }),
  })
  .meta({ id: 'Service' });
export type ServiceRecord = z.infer<typeof serviceRecordSchema>;

/** A ready-made service that can be started by name. */
export const templateReportSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    available: z.boolean(),
    /** Why not here, and what would help. */
    reason: z.string().nullable(),
    resources: resourcesSchema,
    /** Parameters it takes, as JSON Schema (draft 7). */
    params: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Template' });
export type TemplateReport = z.infer<typeof templateReportSchema>;
