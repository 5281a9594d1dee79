import { z } from 'zod';
import { durationSchema, lastsBetween } from '../units/duration.js';
import { timeSchema } from './common.js';

/** Shorter ones would keep the server, and the agent beside it, from their work. */
const probeDurationSchema = durationSchema.refine(
  (duration) => lastsBetween(duration, 0.1, 86400),
  'between 100ms and 1d',
);

/** Ways to look at an instance; a probe has exactly one of them. */
export const PROBE_KINDS = ['http', 'tcp', 'zmq', 'pattern', 'command'] as const;

/** How to tell whether an instance has started, is ready, or is alive: one of five ways, and its rhythm. */
export const probeSchema = z
  .strictObject({
    /** GET on this path; 2xx passes. */
    http: z.string().startsWith('/').optional(),
    /** Something accepts a connection. */
    tcp: z.literal(true).optional(),
    /** It answers a ping of the Pilothouse service protocol. */
    zmq: z.literal(true).optional(),
    /** Regular expression that a line of its output (either stream) matches; once is enough. */
    pattern: z.string().min(1).max(1000).optional(),
    /** Run beside the instance with its environment; exit code 0 passes. The placeholders of `command` work here too. */
    command: z.array(z.string()).min(1).optional(),
    /** Name of the endpoint that `http`, `tcp` and `zmq` look at; default: the first. */
    endpoint: z.string().optional(),
    /** Nothing is looked at before. */
    initialDelay: durationSchema.default('0s'),
    interval: probeDurationSchema.default('5s'),
    timeout: probeDurationSchema.default('2s'),
    /** Consecutive failures after which it has failed. */
    failures: z.int().min(1).max(10_000).default(3),
    /** Consecutive successes after which it has passed. */
    successes: z.int().min(1).max(100).default(1),
  })
  .refine((probe) => PROBE_KINDS.filter((kind) => probe[kind] !== undefined).length === 1, {
    message: `needs exactly one of ${PROBE_KINDS.join(', ')}`,
  })
  .meta({ id: 'Probe' });
export type Probe = z.output<typeof probeSchema>;

/**
 * The three questions. `startup` (default: none) holds the other two back until it has passed once. `readiness` decides
 * whether requests come; default: what fits the API. `liveness` (default: readiness with ten times its failures) decides
 * whether the process is ended and started again.
 */
export const probesSchema = z
  .strictObject({
    startup: probeSchema.optional(),
    readiness: probeSchema.optional(),
    liveness: probeSchema.optional(),
  })
  .meta({ id: 'Probes' });
export type Probes = z.output<typeof probesSchema>;

export const PROBE_ROLES = ['startup', 'readiness', 'liveness'] as const;
export type ProbeRole = (typeof PROBE_ROLES)[number];

/** Result of the latest probe. */
export const probeResultSchema = z.object({
  ok: z.boolean(),
  at: timeSchema,
  /** milliseconds */
  latency: z.number(),
  text: z.string(),
});
export type ProbeResult = z.infer<typeof probeResultSchema>;
