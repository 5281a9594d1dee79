import { z } from 'zod';
import { nameSchema } from '../ids/ids.js';
import { durationSchema } from '../units/duration.js';
import { timeSchema } from './common.js';
import { probesSchema } from './probe.js';
import { routingSchema } from './routing.js';
import { environmentSchema, resourcesSchema } from './task.js';

/**
 * Which API a service speaks: OpenAI's, Ollama's, the Open Inference Protocol v2, the ZeroMQ protocol of Pilothouse's
 * own services, RADICAL-Pilot's `ru.zmq` request-reply, JSON over HTTP, or something that Pilothouse only starts and
 * watches.
 */
export const serviceApiSchema = z
  .enum(['openai', 'ollama', 'open-inference', 'zeromq', 'ru-zmq', 'rest', 'any'])
  .meta({ title: 'API' });
export type ServiceApi = z.infer<typeof serviceApiSchema>;

/** A named port of each instance. */
export const portSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,15}$/, 'use lowercase letters and digits, at most 16')
    .meta({ description: '`http`, `grpc`, `metrics`, `zmq` …' }),
  protocol: z.enum(['http', 'grpc', 'zmq', 'tcp']).default('http'),
  /** A fixed one; default: one that is free. */
  port: z.int().min(1024).max(65535).optional(),
});
export type Port = z.output<typeof portSchema>;

/** How many instances run: between `min` and `max`, by what there is to do. */
export const scalingSchema = z
  .strictObject({
    min: z.int().min(0).max(1024).default(1),
    max: z.int().min(1).max(1024),
    /** Requests per instance (under way and waiting) above which one more is started; default: its concurrency. */
    target: z.number().positive().optional(),
    /** How long there must be too much to do before one more is started. */
    upAfter: durationSchema.default('3s'),
    /** How long there must be too little to do before one is stopped. */
    downAfter: durationSchema.default('5m'),
  })
  .refine(({ min, max }) => min <= max, { path: ['min'], message: 'is larger than max' })
  .meta({ id: 'Scaling' });
export type Scaling = z.output<typeof scalingSchema>;

export const instancesSchema = z
  .union([z.int().min(1).max(1024), scalingSchema])
  .meta({ title: 'Instances', description: 'Running copies: a number, or {min, max}' });

/** How an instance that ended by itself is started again. */
export const restartPolicySchema = z.strictObject({
  /** Automatic restarts before it counts as failed; ten minutes of being ready earn them back. */
  max: z.int().min(0).max(1000).default(3),
  first: durationSchema.default('1s'),
  factor: z.number().min(1).max(10).default(2),
  longest: durationSchema.default('30s'),
});
export type RestartPolicy = z.output<typeof restartPolicySchema>;

/** A request that an instance must answer before it counts as ready, so that the first user does not wait for it. */
export const warmUpSchema = z.strictObject({
  method: z.enum(['GET', 'POST']).default('POST'),
  path: z.string().startsWith('/'),
  body: z.unknown().optional(),
  timeout: durationSchema.default('2m'),
});
export type WarmUp = z.output<typeof warmUpSchema>;

/** How long a service lives; whatever comes first. A batch or a task that uses it keeps it. */
export const lifetimeSchema = z.strictObject({
  /** ISO 8601 */
  until: timeSchema.optional(),
  /** Stops after so long without a request. */
  idle: durationSchema.optional(),
});

/** As of a task, with nothing filled in: a template knows better than a general default. */
const wantedResourcesSchema = z.strictObject({
  cores: resourcesSchema.shape.cores.unwrap().optional(),
  gpus: z.int().min(0).optional().meta({ title: 'GPUs' }),
  memory: resourcesSchema.shape.memory,
});

/**
 * What a user asks for when they ask for a model service: a template with parameters, or a command of their own.
 * In `command`, `env`, `setup` and a command probe these words stand for what the instance gets: `{host}`, `{port}` (its
 * first port), `{port:NAME}`, `{cores}`, `{gpus}`, `{instance}` (1, 2, 3 …), `{apiKeyFile}`; in `env` alone also
 * `{apiKey}`.
 */
export const serviceDescriptionSchema = z
  .strictObject({
    name: nameSchema.optional(),
    template: z.string().optional().meta({ title: 'Template' }),
    params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
    command: z.array(z.string()).min(1).optional(),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
    environment: environmentSchema.optional(),
    /** Shell lines before the command. */
    setup: z.array(z.string()).max(100).default([]),
    cwd: z.string().min(1).optional(),
    /** Default: the template's; `openai` for a command. */
    api: serviceApiSchema.optional(),
    /** Model name sent with each request; default: the first that the server lists. */
    model: z.string().optional(),
    /** What each instance gets; what is left out: the template's, else one core. */
    resources: wantedResourcesSchema.prefault({}),
    instances: instancesSchema.default(1),
    /** Default: what its API needs, one port. The first is the one that is called. */
    ports: z.array(portSchema).min(1).max(16).optional(),
    probes: probesSchema.prefault({}),
    /** How long an instance may take to become ready; default: what its template says, else 5 minutes. */
    startTimeout: durationSchema.optional(),
    /** Automatic restarts of an instance: how many, or how. */
    restarts: z.union([z.int().min(0).max(1000), restartPolicySchema]).default(3),
    warmUp: warmUpSchema.optional(),
    routing: routingSchema.prefault({}),
    lifetime: lifetimeSchema.prefault({}),
    /** Starts only when these services are READY and these tasks DONE (ids or names). */
    after: z.array(z.string()).max(64).default([]),
    /** These services (ids or names), if they have not started by then, start only when this one is READY. */
    before: z.array(z.string()).max(64).default([]),
    /** Folders whose files requests may name (images); default: the working directory. */
    files: z.array(z.string().min(1)).max(64).default([]),
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
    url: z.url({ protocol: /^(https?|tcp|ipc)$/ }).meta({
      title: 'URL',
      description: 'Where it answers: http://host:port (with or without /v1), or tcp://host:port for ZeroMQ',
      examples: ['http://127.0.0.1:8000/v1'],
    }),
    /** Default: found out by asking. */
    api: serviceApiSchema.optional(),
    name: nameSchema.optional(),
    /** Name of a stored credential; the secret itself never travels in a description. */
    credential: nameSchema.optional().meta({
      title: 'Credential',
      description: 'The stored key that the server asks for; none for a server without a key',
    }),
    /** Public CURVE key (40 characters of Z85) of a ZeroMQ service. */
    serverKey: z.string().length(40).optional(),
    model: z.string().optional().meta({ title: 'Model', description: 'Empty: the first model that the server lists' }),
    routing: routingSchema.prefault({}),
    allowUnauthenticated: z.boolean().default(false).meta({
      title: 'Allow a server without a key',
      description: 'Such a server answers everybody who reaches its port',
    }),
  })
  .meta({ id: 'AttachDescription', title: 'Attach service' });
export type AttachDescription = z.input<typeof attachDescriptionSchema>;
export type ResolvedAttachDescription = z.output<typeof attachDescriptionSchema>;

/** What a look at an address has found. */
export const detectionSchema = z
  .object({
    api: serviceApiSchema.nullable(),
    /** Base URL to attach. */
    base: z.string(),
    models: z.array(z.string()),
    /** Whether it asks for a key; null: it could not be told. */
    asksForKey: z.boolean().nullable(),
    /** What was asked and what came back, line by line. */
    evidence: z.array(z.string()),
    /** What to do where it cannot be attached like this; null: it can. */
    remedy: z.string().nullable(),
  })
  .meta({ id: 'Detection' });
export type Detection = z.infer<typeof detectionSchema>;

/** A ready-made service that can be started by name. */
export const templateReportSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    api: serviceApiSchema,
    /** Where it comes from: with Pilothouse, from the site, or from the user's own folder. */
    source: z.enum(['builtin', 'site', 'user']),
    /** Started by Pilothouse, or only attached. */
    launches: z.boolean(),
    available: z.boolean(),
    /** Why not here, and what would help. */
    reason: z.string().nullable(),
    resources: resourcesSchema,
    /** Parameters it takes, as JSON Schema (draft 7). */
    params: z.record(z.string(), z.unknown()),
    /** Its page in the documentation of the server. */
    docs: z.string().nullable(),
  })
  .meta({ id: 'Template' });
export type TemplateReport = z.infer<typeof templateReportSchema>;
