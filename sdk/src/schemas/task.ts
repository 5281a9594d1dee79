import { z } from 'zod';
import { nameSchema } from '../ids/ids.js';
import { taskStateSchema } from '../states/index.js';
import { sizeSchema } from '../units/size.js';
import { recordBase } from './common.js';

/** What one task or instance needs on its node. */
export const resourcesSchema = z
  .strictObject({
    cores: z.int().min(1).default(1).meta({ title: 'Cores', description: 'CPU cores granted; thread counts follow' }),
    gpus: z.int().min(0).default(0).meta({ title: 'GPUs' }),
    memory: sizeSchema.optional().meta({ title: 'Memory', description: 'For example 4GiB' }),
  })
  .meta({ id: 'Resources' });
export type Resources = z.output<typeof resourcesSchema>;

/** What a user asks for when they ask for a task: a command, and what it needs. */
export const taskDescriptionSchema = z
  .strictObject({
    name: nameSchema.optional(),
    /** Program and arguments; no shell between. The program is looked up on the caller's PATH. */
    command: z.array(z.string()).min(1).meta({ title: 'Command', description: 'Program and arguments' }),
    /** Variables on top of the caller's PATH and friends. */
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
    /** Working directory; default: the caller's. Relative to the caller's. */
    cwd: z.string().min(1).optional(),
    /** A private folder under the pilot's instead of `cwd`. */
    sandbox: z.boolean().default(false),
    cores: z.int().min(0).default(1).meta({
      title: 'Cores',
      description: 'CPU cores granted; 0 for a task that only waits, such as one that asks services',
    }),
    gpus: resourcesSchema.shape.gpus,
    memory: resourcesSchema.shape.memory,
    /** Services (id or name) that must be READY before it starts; their address is in its environment. */
    services: z.array(z.string()).default([]),
    /** Pilot (id or name); default: the only live one. */
    pilot: z.string().optional(),
  })
  .meta({ id: 'TaskDescription', title: 'Task' });
/** A task as users describe it: only `command` must be there. */
export type TaskDescription = z.input<typeof taskDescriptionSchema>;
export type ResolvedTaskDescription = z.output<typeof taskDescriptionSchema>;

/** Where the output of a finished task or instance lies: a byte range of a packed file in the pilot's folder. */
export const outputRangeSchema = z.object({
  /** Relative to the pilot's folder. */
  file: z.string(),
  stdout: z.object({ offset: z.int(), length: z.int() }),
  stderr: z.object({ offset: z.int(), length: z.int() }),
});
export type OutputRange = z.infer<typeof outputRangeSchema>;

/** A task as it stands now. */
export const taskRecordSchema = z
  .object({
    kind: z.literal('task'),
    ...recordBase,
    state: taskStateSchema,
    description: taskDescriptionSchema,
    /** Id of the pilot it is bound to. */
    pilot: z.string(),
    /** Resolved absolute working directory. */
    cwd: z.string(),
    attempt: z.int(),
    exitCode: z.int().nullable(),
    /** Name of the signal that ended it. */
    signal: z.string().nullable(),
    stderrTail: z.string().nullable(),
    output: outputRangeSchema.nullable(),
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
