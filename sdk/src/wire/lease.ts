import { z } from 'zod';
import { timeSchema } from '../schemas/common.js';

/** Seconds between two heartbeats of a lease. */
export const LEASE_HEARTBEAT_SECONDS = 15;

/** A heartbeat older than this lets another host take over, in seconds. */
export const LEASE_STALE_SECONDS = 60;

/**
 * `lease/<epoch>` in the state root: who owns the picture. The file with the highest number counts; it is made by
 * `link(2)` of a complete file, so exactly one taker wins, and replaced as a whole at each heartbeat. Clients take the
 * socket's path from it, and "alive" to mean that the socket answers, never a pid.
 */
export const leaseFileSchema = z.object({
  v: z.literal(1),
  epoch: z.int(),
  host: z.string(),
  /** Absolute path of the bridge's socket on that host. */
  socket: z.string(),
  /** For people who read the file; nothing is decided by it. */
  pid: z.int(),
  version: z.string(),
  startedAt: timeSchema,
  heartbeat: timeSchema,
  /** The owner ended and said so: anybody may take over at once. */
  released: z.boolean(),
});
export type LeaseFile = z.infer<typeof leaseFileSchema>;
