import { z } from 'zod';
import { nameSchema } from '../ids/ids.js';
import { taskStateSchema } from '../states/index.js';
import { durationSchema } from '../units/duration.js';
import { sizeSchema } from '../units/size.js';
import { recordBase } from './common.js';
import { functionCallSchema, payloadSchema, remoteExceptionSchema } from './function.js';
import { stagingDirectiveSchema, stagingReportSchema } from './staging.js';

/** What one instance needs on its node. */
export const resourcesSchema = z
  .strictObject({
    cores: z.int().min(0).default(1).meta({
      title: 'Cores',
      description: 'CPU cores granted; thread counts follow. 0 for what only waits, such as a proxy',
    }),
    gpus: z.int().min(0).default(0).meta({ title: 'GPUs' }),
    memory: sizeSchema.optional().meta({ title: 'Memory', description: 'For example 4GiB' }),
  })
  .meta({ id: 'Resources' });
export type Resources = z.output<typeof resourcesSchema>;

/** Where a command runs: one of them at most. */
export const environmentSchema = z
  .union([
    z.strictObject({
      conda: z.string().min(1).meta({ title: 'conda', description: 'Name or path of the environment' }),
    }),
    z.strictObject({ venv: z.string().min(1).meta({ title: 'venv', description: 'Path of the virtual environment' }) }),
    z.strictObject({
      modules: z.array(z.string().min(1)).min(1).meta({ title: 'Modules', description: 'module load …' }),
    }),
    z.strictObject({
      container: z.strictObject({
        image: z.string().min(1),
        runtime: z.enum(['apptainer', 'podman']).default('apptainer'),
        /** `/host/path` or `/host/path:/container/path[:ro]`; the working directory is always there. */
        binds: z.array(z.string().min(1)).default([]),
        gpu: z.boolean().default(false),
      }),
    }),
  ])
  .meta({ id: 'Environment', title: 'Environment' });
export type Environment = z.output<typeof environmentSchema>;

/** What makes a task run again by itself. A lost node, a killed launcher and the pilot's walltime never use a retry up. */
export const retryPolicySchema = z
  .strictObject({
    max: z.int().min(0).max(1000),
    /** What counts: a bad exit code, a signal, its own `maxDuration`, a failed staging. Default: all. */
    on: z.array(z.enum(['exit', 'signal', 'timeout', 'staging'])).optional(),
    /** Exit codes that are worth a retry; default: all. */
    exitCodes: z.array(z.int()).optional(),
    /** Wait before the first retry; each further one waits `factor` times longer, at most `longest`. */
    backOff: z
      .strictObject({
        first: durationSchema.default('1s'),
        factor: z.number().min(1).max(10).default(2),
        longest: durationSchema.default('5m'),
      })
      .optional(),
    /** More memory after running out of it: `×2` of what it had, or an amount. Uses up a retry. */
    onOom: z.strictObject({ memory: z.union([z.string().regex(/^[×x]\d+(\.\d+)?$/), sizeSchema]) }).optional(),
  })
  .meta({ id: 'RetryPolicy' });
export type RetryPolicy = z.output<typeof retryPolicySchema>;

/** Waits for another task: until it is DONE (default), has ended at all, or has FAILED. */
export const dependencySchema = z.strictObject({
  task: z.string().min(1),
  when: z.enum(['done', 'finished', 'failed']).default('done'),
});

/** What a process can be given: the system ends each word at its first NUL. */
const argument = z.string().regex(/^[^\0]*$/, 'must not hold a NUL character');
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);
const tag = z.string().regex(/^[\w.:-]{1,64}$/, 'use letters, digits, . : _ and -, at most 64');

/**
 * What a user asks for when they ask for a task: a command or a function, and what it needs. `cores`, `gpus` and `memory`
 * are for the whole task on its node; with `nodes` > 1 they are per node; with `ranks` they are per rank.
 */
export const taskFields = {
  name: nameSchema.optional(),
  /** Program and arguments; no shell between. The program is looked up on the caller's PATH. `{cores}` and `{gpus}` are filled in. */
  command: z
    .array(argument)
    .min(1)
    .refine(([program]) => program !== '', { error: 'name a program', path: [0] })
    .optional()
    .meta({ title: 'Command', description: 'Program and arguments' }),
  /** A call in a warm worker, instead of a command. */
  call: functionCallSchema.optional(),
  /** Variables on top of the caller's PATH and friends. */
  env: z.record(variable, argument).default({}),
  environment: environmentSchema.optional(),
  /** Shell lines that run before the command, in the same shell. */
  setup: z
    .array(z.string())
    .default([])
    .meta({ title: 'Setup', description: 'Shell lines that run before the command' }),
  /** Working directory; default: the caller's. Relative to the caller's. */
  cwd: z.string().min(1).optional(),
  /** A private folder under the pilot's instead of `cwd`. */
  sandbox: z
    .boolean()
    .default(false)
    .meta({ title: 'Own folder', description: 'A private folder instead of the notebook’s' }),
  cores: z.int().min(0).default(1).meta({
    title: 'Cores',
    description: 'CPU cores granted; 0 for a task that only waits, such as one that asks services',
  }),
  gpus: z
    .number()
    .min(0)
    .multipleOf(0.01)
    .default(0)
    .meta({ title: 'GPUs', description: 'Whole GPUs, or a part such as 0.5' }),
  memory: resourcesSchema.shape.memory,
  nodes: z
    .int()
    .min(1)
    .optional()
    .meta({ title: 'Nodes', description: 'Number of nodes it spans; cores, GPUs and memory are then per node' }),
  /** MPI ranks; cores, gpus and memory are then per rank. */
  ranks: z.int().min(1).optional().meta({ title: 'MPI ranks' }),
  usesMpi: z.boolean().optional(),
  /** How ranks are started; default: what the pilot has. */
  launcher: z.enum(['fork', 'mpiexec', 'srun', 'flux']).optional(),
  /** Bind it to its own CPUs (taskset). */
  bind: z.boolean().default(false),
  /** Higher goes first; nothing starves. */
  priority: z.int().min(-1000).max(1000).default(0).meta({ title: 'Priority' }),
  tags: z.array(tag).default([]),
  /** On the same node as tasks with one of these tags. */
  near: z.array(tag).default([]),
  /** On no node where a task with one of these tags runs. */
  apart: z.array(tag).default([]),
  /** Yours; Pilothouse only keeps it. */
  metadata: z.record(z.string(), z.json()).default({}),
  /** How long it takes: it is not started where less time is left. */
  expectedDuration: durationSchema.optional().meta({ title: 'Takes about' }),
  /** Ended and FAILED after this long. */
  maxDuration: durationSchema.optional().meta({ title: 'At most' }),
  retries: z
    .union([z.int().min(0).max(1000), retryPolicySchema])
    .default(0)
    .meta({ title: 'Retries' }),
  /** Tasks (id, name or `{ task, when }`) that come first. */
  after: z.array(z.union([z.string().min(1), dependencySchema])).default([]),
  /** Services (id or name) that must be READY before it starts; their address is in its environment. */
  services: z.array(z.string()).default([]),
  stageIn: z.array(stagingDirectiveSchema).default([]),
  stageOut: z.array(stagingDirectiveSchema).default([]),
  /** Files that must be there before it starts; waited for while a task that stages them out is under way. */
  inputs: z.array(z.string().min(1)).default([]),
  /** Keep stdout and stderr as files of their own beside the packed log. */
  ownFiles: z.boolean().default(false),
  /** Shortly before the pilot's time is over: this signal, and so long to save. Without it: TERM and 5 s. */
  onWalltime: z
    .strictObject({
      signal: z.enum(['TERM', 'INT', 'USR1', 'USR2', 'HUP']).default('TERM'),
      grace: durationSchema.default('30s'),
    })
    .optional(),
  /** Folder for checkpoints (PILOTHOUSE_CHECKPOINT names it); makes the task go on in the next pilot after a walltime. */
  checkpoint: z.string().min(1).optional(),
  /** Pilot (id or name); default: the only live one, or, of several, the first that has room. */
  pilot: z.string().optional(),
};

/** A task as users describe it: exactly one of `command` and `call` must be there. */
export const taskDescriptionSchema = z
  .strictObject(taskFields)
  .refine((task) => (task.command === undefined) !== (task.call === undefined), {
    error: 'give either a command or a function to call',
    path: ['command'],
  })
  .meta({ id: 'TaskDescription', title: 'Task' });
export type TaskDescription = z.input<typeof taskDescriptionSchema>;
export type ResolvedTaskDescription = z.output<typeof taskDescriptionSchema>;

const without = <T extends z.ZodType>(field: z.ZodDefault<T>) => field.removeDefault().optional();

/**
 * Fields of a task that come on top of its set's template: any of a description's. Nothing has a default here, so that
 * what an entry leaves out is the template's.
 */
export const taskEntrySchema = z
  .strictObject({
    ...z.strictObject(taskFields).partial().shape,
    env: without(taskFields.env),
    setup: without(taskFields.setup),
    sandbox: without(taskFields.sandbox),
    cores: without(taskFields.cores),
    gpus: without(taskFields.gpus),
    bind: without(taskFields.bind),
    priority: without(taskFields.priority),
    tags: without(taskFields.tags),
    near: without(taskFields.near),
    apart: without(taskFields.apart),
    metadata: without(taskFields.metadata),
    retries: without(taskFields.retries),
    after: without(taskFields.after),
    services: without(taskFields.services),
    stageIn: without(taskFields.stageIn),
    stageOut: without(taskFields.stageOut),
    inputs: without(taskFields.inputs),
    ownFiles: without(taskFields.ownFiles),
    /** Arguments of the template's `call`: all that calls of one function differ in. */
    args: payloadSchema.optional(),
  })
  .meta({ id: 'TaskEntry' });
export type TaskEntry = z.input<typeof taskEntrySchema>;
export type ResolvedTaskEntry = z.output<typeof taskEntrySchema>;

/** A task's fields as they follow from its set's template and its own entry: whole fields, nothing is merged deeper but `args`. */
export function mergeEntry<E extends TaskEntry>(template: E, entry: E): E {
  const { args, ...merged } = { ...template, ...entry };
  if (args === undefined || merged.call === undefined) return merged as E;
  return { ...merged, call: { ...merged.call, args } } as E;
}

/** Where the output of a finished task or instance lies: a byte range of a packed file in the pilot's folder. */
export const outputRangeSchema = z.object({
  /** Relative to the pilot's folder. */
  file: z.string(),
  stdout: z.object({ offset: z.int(), length: z.int() }),
  stderr: z.object({ offset: z.int(), length: z.int() }),
});
export type OutputRange = z.infer<typeof outputRangeSchema>;

/** What a task has used. */
export const taskUsageSchema = z
  .object({
    /** seconds */
    wall: z.number(),
    /** seconds of CPU time, user and system, of the whole process tree */
    cpu: z.number(),
    /** bytes, of the largest process or, where memory is watched, of the group */
    maxRss: z.number(),
    /** bytes read from and written to storage */
    read: z.number(),
    written: z.number(),
    /** mean utilisation of its GPUs, 0 to 1; null: not measured */
    gpuUtil: z.number().nullable(),
    /** bytes; null: not measured */
    gpuMemoryPeak: z.number().nullable(),
  })
  .meta({ id: 'TaskUsage' });
export type TaskUsage = z.infer<typeof taskUsageSchema>;

/** Where a task runs or ran: host, numbers of its cores within the pilot's, names of its GPUs. */
export const placementSchema = z
  .object({ node: z.string(), cores: z.array(z.int()), gpus: z.array(z.string()) })
  .meta({ id: 'Placement' });
export type Placement = z.infer<typeof placementSchema>;

/** A task as it stands now. */
export const taskRecordSchema = z
  .object({
    kind: z.literal('task'),
    ...recordBase,
    state: taskStateSchema,
    description: taskDescriptionSchema,
    /** Id of the pilot it is bound to; null: the first that has room. */
    pilot: z.string().nullable(),
    /** Id of its task set. Its own id is then `<set>.<n>`. */
    set: z.string().nullable(),
    /** The task that it repeats by hand. */
    retryOf: z.string().nullable(),
    /** The task of an earlier set of that name whose result it took over, instead of running. */
    resumedFrom: z.string().nullable(),
    /** Resolved absolute working directory. */
    cwd: z.string(),
    attempt: z.int(),
    exitCode: z.int().nullable(),
    /** Name of the signal that ended it. */
    signal: z.string().nullable(),
    stderrTail: z.string().nullable(),
    output: outputRangeSchema.nullable(),
    usage: taskUsageSchema.nullable(),
    placement: placementSchema.nullable(),
    staging: z.array(stagingReportSchema).nullable(),
    /** What a function gave back. */
    value: payloadSchema.nullable(),
    exception: remoteExceptionSchema.nullable(),
  })
  .meta({ id: 'Task' });
export type TaskRecord = z.infer<typeof taskRecordSchema>;

/** A piece of a log, by byte offset. */
export const logChunkSchema = z
  .object({
    text: z.string(),
    /** Byte offset of the first byte of `text`. */
    offset: z.int(),
    /** Where to go on. */
    next: z.int(),
    /** Bytes there are by now. */
    size: z.int(),
    /** No more will come. */
    complete: z.boolean(),
  })
  .meta({ id: 'LogChunk' });
export type LogChunk = z.infer<typeof logChunkSchema>;
