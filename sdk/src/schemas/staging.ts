import { z } from 'zod';

/** How a file gets from one place to another. */
export const stagingActionSchema = z.enum(['link', 'copy', 'move', 'transfer']).meta({
  id: 'StagingAction',
  description: 'link: no bytes are copied on one file system; transfer: from or to another machine',
});

/**
 * One staging directive. `from` may be a glob or, for `transfer`, a URL (`https://`, `file://`, `ssh://host/path`);
 * a `to` that ends in `/` is a folder. Relative paths: in `stageIn`, `from` is relative to the caller's folder and `to` to
 * the task's working directory; in `stageOut` the other way round.
 */
export const stagingDirectiveSchema = z
  .strictObject({
    from: z
      .string()
      .min(1)
      .meta({ title: 'From', description: 'A file, a folder, a pattern such as out/*.npy, or a URL' }),
    to: z.string().min(1).default('./').meta({ title: 'To', description: 'A file, or a folder when it ends in /' }),
    /** Default: `link` for paths, `transfer` for URLs. */
    action: stagingActionSchema.optional(),
    /** `sha256`: compare both ends; `sha256:<hex>`: the file must be this one. */
    checksum: z
      .string()
      .regex(/^sha256(:[0-9a-f]{64})?$/, 'write sha256 or sha256:<64 hex digits>')
      .optional(),
    /** A source that is not there is no error. */
    optional: z.boolean().optional(),
  })
  .meta({ id: 'StagingDirective' });
export type StagingDirective = z.input<typeof stagingDirectiveSchema>;

/** How far one directive is: what the data of a task waits for, and why. */
export const stagingReportSchema = z
  .object({
    direction: z.enum(['in', 'out']),
    from: z.string(),
    to: z.string(),
    action: stagingActionSchema,
    state: z.enum(['WAITING', 'ACTIVE', 'DONE', 'FAILED']),
    files: z.int(),
    /** bytes moved so far; links move none */
    bytes: z.number(),
    /** bytes in all, where known */
    total: z.number().nullable(),
    /** sha256 of each file where asked for, by path relative to `to`. */
    checksums: z.record(z.string(), z.string()).optional(),
    error: z.string().optional(),
    /** Absolute path of `to` where it is a local one: its file, or the folder of what a pattern matched. */
    path: z.string().optional(),
  })
  .meta({ id: 'StagingReport' });
export type StagingReport = z.infer<typeof stagingReportSchema>;

/** One file that a task has left, relative to its working directory. */
export const taskFileSchema = z
  .object({ path: z.string(), size: z.number(), modified: z.string(), folder: z.boolean() })
  .meta({ id: 'TaskFile' });
export type TaskFile = z.infer<typeof taskFileSchema>;

/** A piece of a file, base64, by byte offset. */
export const fileChunkSchema = z
  .object({
    data: z.string(),
    offset: z.number(),
    next: z.number(),
    size: z.number(),
    complete: z.boolean(),
  })
  .meta({ id: 'FileChunk' });
export type FileChunk = z.infer<typeof fileChunkSchema>;
