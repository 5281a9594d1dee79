import { z } from 'zod';
import { batchDescriptionSchema } from '../schemas/batch.js';
import { timeSchema } from '../schemas/common.js';
import { probeSchema } from '../schemas/probe.js';
import { routingSchema } from '../schemas/routing.js';
import { portSchema, serviceApiSchema } from '../schemas/service.js';
import { endpointSchema } from '../schemas/service-record.js';
import { environmentSchema, taskEntrySchema } from '../schemas/task.js';
import { taskStateSchema } from '../states/index.js';

const stamp = {
  /** One number line per pilot, over all epochs. */
  seq: z.int(),
  epoch: z.int(),
  t: timeSchema,
};

const run = {
  command: z.array(z.string()).min(1),
  /** The whole environment of the process; nothing else is inherited. */
  env: z.record(z.string(), z.string()),
  cwd: z.string(),
  cores: z.int(),
  gpus: z.int(),
  /** bytes; null: no limit of its own */
  memory: z.number().nullable(),
};

/**
 * A service as an agent gets it, everything resolved. The words in braces in `command`, `env`, `setup` and command probes
 * are filled in per instance by the agent, which also chooses the ports and makes the key (file, 0600).
 */
export const serviceSpecSchema = z.object({
  id: z.string(),
  name: z.string(),
  api: serviceApiSchema,
  ...run,
  environment: environmentSchema.nullable(),
  setup: z.array(z.string()),
  /** Those that are started first; with `scale` the agent adds and drains by itself. */
  instances: z.array(z.object({ id: z.string(), index: z.int() })),
  scale: z
    .object({
      min: z.int(),
      max: z.int(),
      /** Requests per instance above which there is too much to do. */
      target: z.number(),
      /** seconds */
      upAfter: z.number(),
      downAfter: z.number(),
    })
    .nullable(),
  ports: z.array(portSchema).min(1),
  probes: z.object({
    startup: probeSchema.nullable(),
    readiness: probeSchema,
    liveness: probeSchema,
  }),
  /** seconds */
  startTimeout: z.number(),
  /** `first` and `longest` in seconds. */
  restarts: z.object({ max: z.int(), first: z.number(), factor: z.number(), longest: z.number() }),
  warmUp: z
    .object({ method: z.enum(['GET', 'POST']), path: z.string(), body: z.unknown().optional(), timeout: z.number() })
    .nullable(),
  /** How the agent's own router chooses among the instances; `concurrency` is what one instance takes at a time. */
  routing: routingSchema.extend({ concurrency: z.int() }),
  lifetime: z.object({ until: timeSchema.nullable(), idle: z.number().nullable() }),
  /** Ids of services and tasks that come first. */
  after: z.array(z.string()),
  /** Ids or names of services that wait for this one. */
  before: z.array(z.string()),
  /** Whether the command takes a key. */
  authenticated: z.boolean(),
  /** Files that must exist before it starts; the first missing one fails it with MODEL_NOT_FOUND and its path. */
  needs: z.array(z.string()),
  /** Model name for requests that name none; null: the first that the server lists. */
  model: z.string().nullable(),
  /** Absolute folders whose files requests may name. */
  files: z.array(z.string()),
  /**
   * Lines of its output that say how far it has loaded: regular expressions whose first group, where there is one, is a
   * percentage, or whose first two groups are "n of m".
   */
  progress: z.array(z.string()),
});
export type ServiceSpec = z.infer<typeof serviceSpecSchema>;

/** A service that is called from a pilot and does not run on it: attached, or of another pilot. */
export const remoteServiceSchema = z.object({
  id: z.string(),
  name: z.string(),
  api: serviceApiSchema,
  model: z.string().nullable(),
  routing: routingSchema.extend({ concurrency: z.int() }),
  /** Each with its number; none: it is not ready. */
  endpoints: z.array(z.object({ index: z.int(), endpoint: endpointSchema })),
});
export type RemoteService = z.infer<typeof remoteServiceSchema>;

/** A batch as an agent gets it. */
export const batchSpecSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** Id of a service of this pilot, or of one told by `remote-service`. */
  service: z.string(),
  description: batchDescriptionSchema,
  /** Absolute paths. */
  input: z.string(),
  out: z.string(),
  /** `lines`: each line of the input is a prompt; else JSON Lines. */
  format: z.enum(['jsonl', 'lines']),
});
export type BatchSpec = z.infer<typeof batchSpecSchema>;

/** One task as it goes to an agent: its description is the batch's template with `entry` on top. */
export const spooledTaskSchema = z.object({
  id: z.string(),
  name: z.string(),
  entry: taskEntrySchema,
  /** Ids, in place of the references in `services` and `after`; absent where there are none. */
  services: z.array(z.string()).optional(),
  after: z.array(z.object({ task: z.string(), when: z.enum(['done', 'finished', 'failed']) })).optional(),
  /** Attempts of it that were used up before it came here; default 0. */
  attempts: z.int().optional(),
});
export type SpooledTask = z.infer<typeof spooledTaskSchema>;

/** Tasks that were submitted together: what they have in common stands here once. */
export const taskBatchSchema = z.object({
  /** Id of their set. */
  set: z.string().nullable(),
  template: taskEntrySchema,
  /** What processes start from: PATH and friends of the caller; a task's own `env` comes on top. Nothing else is inherited. */
  env: z.record(z.string(), z.string()),
  /** Absolute folder of the caller. */
  cwd: z.string(),
  tasks: z.array(spooledTaskSchema).min(1),
});
export type TaskBatch = z.infer<typeof taskBatchSchema>;

/** One line of `pilots/<id>/spool/<epoch>.jsonl`, written by the bridge. */
export const spoolRecordSchema = z.discriminatedUnion('type', [
  /**
   * Tasks of this pilot. With `offer` they stand in other spools too: they are this agent's once it has made the file
   * `claims/<offer>` in the state root (by link(2), its pilot's id inside); who finds it made leaves them alone.
   */
  z.object({
    ...stamp,
    type: z.literal('tasks'),
    batch: taskBatchSchema,
    offer: z.string().optional(),
    /** Nobody asked for this very pilot: what has not started when it ends is given back, as if it had been offered. */
    giveBack: z.boolean().optional(),
  }),
  z.object({
    ...stamp,
    type: z.literal('cancel-tasks'),
    tasks: z.array(z.string()).optional(),
    set: z.string().optional(),
  }),
  /** Tasks elsewhere, that tasks here depend on, have ended. */
  z.object({
    ...stamp,
    type: z.literal('settled'),
    tasks: z.array(z.object({ id: z.string(), state: taskStateSchema })),
  }),
  /** `suspend`: start nothing new; `drain`: take nothing new, end when what is here has ended; `keep`: idle time starts anew. */
  z.object({ ...stamp, type: z.literal('control'), action: z.enum(['suspend', 'resume', 'drain', 'keep']) }),
  z.object({ ...stamp, type: z.literal('extend'), endsAt: timeSchema }),
  z.object({ ...stamp, type: z.literal('service'), service: serviceSpecSchema }),
  /** Told again whenever it has changed. */
  z.object({ ...stamp, type: z.literal('remote-service'), service: remoteServiceSchema }),
  z.object({ ...stamp, type: z.literal('stop'), service: z.string() }),
  z.object({ ...stamp, type: z.literal('scale'), service: z.string(), min: z.int(), max: z.int() }),
  /** Takes nothing new, stops when its requests are answered. Without `instance`: all, and with them the service. */
  z.object({ ...stamp, type: z.literal('drain'), service: z.string(), instance: z.string().optional() }),
  z.object({ ...stamp, type: z.literal('restart'), service: z.string(), instance: z.string().optional() }),
  z.object({ ...stamp, type: z.literal('batch'), batch: batchSpecSchema }),
  z.object({ ...stamp, type: z.literal('cancel-batch'), batch: z.string() }),
  /** End the pilot with everything on it. */
  z.object({ ...stamp, type: z.literal('end') }),
]);
export type SpoolRecord = z.infer<typeof spoolRecordSchema>;

/** `pilots/<id>/pilot.json`, written once by the engine before anything starts. */
export const pilotFileSchema = z.object({
  v: z.literal(1),
  id: z.string(),
  name: z.string(),
  engine: z.string(),
  cores: z.int(),
  gpus: z.int(),
  memory: z.number().nullable(),
  /** seconds */
  runtime: z.number(),
  /** CPU numbers it may use, when the engine knows them. */
  cpus: z.array(z.int()).nullable(),
  /** Names of its GPUs as CUDA_VISIBLE_DEVICES takes them; absent: 0, 1, 2 … */
  gpuIds: z.array(z.string()).optional(),
  /** Whose GPUs they are; absent: NVIDIA's. */
  gpuVendor: z.enum(['nvidia', 'amd']).optional(),
  /** seconds without anything to do after which it ends by itself; absent: 15 min with GPUs, else 1 h */
  idleAfter: z.number().positive().optional(),
  createdAt: timeSchema,
  /** Absolute paths. */
  folder: z.string(),
  runtimeDir: z.string(),
});
export type PilotFile = z.infer<typeof pilotFileSchema>;

/** `pilots/<id>/connect.json` (0600): how an agent finds the bridge; written anew at each epoch. */
export const connectFileSchema = z.object({
  v: z.literal(1),
  epoch: z.int(),
  /** ZeroMQ addresses, best first: `ipc:///tmp/pilothouse-1000/agents.ipc`. */
  addresses: z.array(z.string()).min(1),
});
export type ConnectFile = z.infer<typeof connectFileSchema>;
