import { z } from 'zod';

const failureSchema = z.object({ errno: z.int().nullable(), message: z.string() });

/** One spawn as the warden knows it. */
const seenSchema = z.discriminatedUnion('state', [
  z.object({ id: z.string(), state: z.literal('starting') }),
  z.object({ id: z.string(), state: z.literal('running'), pid: z.int() }),
  z.object({ id: z.string(), state: z.literal('exited'), pid: z.int(), code: z.int() }),
  z.object({ id: z.string(), state: z.literal('failed'), error: failureSchema }),
  z.object({ id: z.string(), state: z.literal('lost') }),
]);
export type Seen = z.infer<typeof seenSchema>;

/** What the warden says, one JSON line each; the warden's side is `warden/pilothouse_warden/work.py`. */
export const wardenMessageSchema = z.union([
  z.object({ type: z.literal('state'), spawns: z.array(seenSchema) }),
  z.object({ type: z.literal('spawned') }).and(seenSchema),
  z.object({ type: z.literal('exit'), id: z.string(), code: z.int() }),
  z.object({ type: z.literal('swept') }),
  z.object({ type: z.literal('refused'), message: z.string() }),
  z.object({ type: z.literal('error'), message: z.string() }),
]);
export type WardenMessage = z.infer<typeof wardenMessageSchema>;
