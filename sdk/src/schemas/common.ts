import { z } from 'zod';
import { errorDataSchema } from '../errors/index.js';

/** Wall-clock time, ISO 8601 with milliseconds in UTC. Orders events across hosts; never subtracted for a duration. */
export const timeSchema = z.iso.datetime().meta({ id: 'Time' });

/** Why something is not further than it is: the answer to "why is it not running?". */
export const reasonSchema = z
  .object({
    /** Short machine word, such as `WAITS_FOR_CORES`. */
    code: z.string(),
    /** The sentence people read. */
    text: z.string(),
    since: timeSchema,
    /** What it was read from: a squeue line, counts, the last stderr lines. */
    evidence: z.string().optional(),
  })
  .meta({ id: 'Reason' });
export type Reason = z.infer<typeof reasonSchema>;

/** Whether the thing can be seen at the moment. Lost contact is not a failure. */
export const contactSchema = z.object({ lost: z.boolean(), since: timeSchema }).meta({ id: 'Contact' });
export type Contact = z.infer<typeof contactSchema>;

/** Where a call came from: whose it is, where its tasks run, what they see of the caller's environment. */
export const originSchema = z
  .object({
    /** Notebook path or the name given to `connect`; ownership is by this and outlives kernel restarts. */
    name: z.string().min(1).max(1024),
    kind: z.enum(['python', 'tslab', 'deno', 'node', 'browser', 'cli']),
    /** Absolute working directory of the caller; tasks start there. Absent from a browser: the user's home. */
    cwd: z.string().startsWith('/').optional(),
    /** PATH, VIRTUAL_ENV, CONDA_PREFIX, LD_LIBRARY_PATH, PYTHONPATH of the caller, where set. */
    env: z.partialRecord(z.enum(['PATH', 'VIRTUAL_ENV', 'CONDA_PREFIX', 'LD_LIBRARY_PATH', 'PYTHONPATH']), z.string()),
  })
  .meta({ id: 'Origin' });
export type Origin = z.infer<typeof originSchema>;

/** Makes a submit safe to repeat: the same key gives the same thing back. */
export const keySchema = z.string().min(8).max(128).meta({ title: 'Idempotency key' });

/** What every record of the picture holds. */
export const recordBase = {
  id: z.string(),
  name: z.string(),
  /** Number of the last change, within the bridge's epoch. */
  seq: z.int(),
  since: timeSchema,
  reason: reasonSchema.nullable(),
  contact: contactSchema,
  error: errorDataSchema.nullable(),
  /** When each state was last entered. */
  times: z.record(z.string(), timeSchema),
  /** Name of the origin that submitted it. */
  owner: z.string(),
  createdAt: timeSchema,
  endedAt: timeSchema.nullable(),
};
