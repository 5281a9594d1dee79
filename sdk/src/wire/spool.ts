import { z } from 'zod';
import { timeSchema } from '../schemas/common.js';
import { probeSchema } from '../schemas/service.js';
import { taskEntrySchema } from '../schemas/task.js';
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
 * A service as an agent gets it. `{port}`, `{host}`, `{cores}`, `{apiKeyFile}` in `command` and `env` are filled in per
 * instance by the agent, which also chooses the port and makes the key (file, 0600).
 */
export const serviceSpecSchema = z.object({
  id: z.string(),
  name: z.string(),
  ...run,
  instances: z.array(z.object({ id: z.string(), index: z.int() })).min(1),
  probe: probeSchema,
  /** seconds */
  startTimeout: z.number(),
  restarts: z.int(),
  /** Whether the command takes a key. */
  authenticated: z.boolean(),
  /** Files that must exist before it starts; the first missing one fails it with MODEL_NOT_FOUND and its path. */
  needs: z.array(z.string()),
});
export type ServiceSpec = z.infer<typeof serviceSpecSchema>;

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
  z.object({ ...stamp, type: z.literal('stop'), service: z.string() }),
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
