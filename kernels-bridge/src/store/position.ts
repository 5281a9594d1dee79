import { z } from 'zod';

/** How much of the files the cached picture holds; everything after it is read at the next start. */
export const positionSchema = z.object({
  /** State root that the cache belongs to: a runtime dir may be used with another one. */
  home: z.string(),
  logSeq: z.int(),
  /** Byte offset by name of the log file. */
  logs: z.record(z.string(), z.int()),
  /** By pilot. */
  journals: z.record(z.string(), z.object({ seq: z.int(), offsets: z.record(z.string(), z.int()) })),
});
export type Position = z.infer<typeof positionSchema>;
