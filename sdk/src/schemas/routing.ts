import { z } from 'zod';
import { durationSchema } from '../units/duration.js';

/**
 * Which instance answers: the one with the fewest requests under way for its weight; the better of two drawn at random;
 * each in turn; always the same for one `session`; the one that has seen the beginning of the prompt.
 */
export const routingPolicySchema = z.enum([
  'least-outstanding',
  'power-of-two',
  'round-robin',
  'session-affinity',
  'prefix-affinity',
]);
export type RoutingPolicy = z.infer<typeof routingPolicySchema>;

/** How requests to a service find an instance, and what happens where none is free or one fails. */
export const routingSchema = z
  .strictObject({
    policy: routingPolicySchema.default('least-outstanding').meta({ title: 'Policy' }),
    /** By number of the instance ("1", "2" …); 2 gets twice as much as 1. Default: all 1. */
    weights: z.record(z.string().regex(/^[1-9]\d*$/), z.number().positive().max(1000)).default({}),
    /** Requests that one instance takes at a time; default: what its template says, else 64. */
    concurrency: z.int().min(1).max(10_000).optional().meta({ title: 'Requests at a time, per instance' }),
    /** Requests that may wait; beyond it QUEUE_FULL, with `retryAfter`. */
    queue: z.int().min(0).max(100_000).default(256).meta({ title: 'Requests that may wait' }),
    /** How long one instance may take to its first byte before another is asked; default: as long as the request. */
    attemptTimeout: durationSchema.optional(),
    /** Other instances asked after a failure; only where nothing of the answer has been passed on yet. */
    retries: z.int().min(0).max(10).default(2),
    /** Ask a second instance too where the first has said nothing for this long; the slower one is stopped. */
    hedgeAfter: durationSchema.optional(),
    /** Failures in a row after which an instance is left out for a while (1 s, then twice as long each time, at most 30 s). */
    ejectAfter: z.int().min(1).max(100).default(3),
    /** An instance that has just become ready gets its full share after this long. */
    slowStart: durationSchema.default('0s'),
  })
  .meta({ id: 'Routing', title: 'Routing' });
export type Routing = z.output<typeof routingSchema>;
