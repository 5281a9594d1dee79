import { z } from 'zod';

/** Version of the messages between agent and warden. Both come with one installation, but one may outlive an update. */
export const WARDEN_PROTOCOL = 2;

const failureSchema = z.object({ errno: z.int().nullable(), message: z.string() });

/** One spawn as the warden knows it. */
const seenSchema = z.discriminatedUnion('state', [
  z.object({ id: z.string(), state: z.literal('starting') }),
  z.object({
    id: z.string(),
    state: z.literal('running'),
    pid: z.int(),
    files: z.tuple([z.string().nullable(), z.string().nullable()]).optional(),
  }),
  z.object({
    id: z.string(),
    state: z.literal('exited'),
    pid: z.int(),
    code: z.int(),
    files: z.tuple([z.string().nullable(), z.string().nullable()]).optional(),
    /** wall, cpu (seconds), largest process, read, written (bytes) */
    usage: z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()]).nullable(),
    /** peak and limit, in bytes */
    oom: z.tuple([z.number(), z.number()]).optional(),
    /** bytes written to each file */
    out: z.int().optional(),
    err: z.int().optional(),
    /** What is in them, one character a byte, where it is short. */
    text: z.tuple([z.string(), z.string()]).optional(),
  }),
  z.object({ id: z.string(), state: z.literal('failed'), error: failureSchema }),
  z.object({ id: z.string(), state: z.literal('lost') }),
]);
export type Seen = z.infer<typeof seenSchema>;

/** What the warden says, one JSON line each; the warden's side is `warden/pilothouse_warden/reports.py`. */
export const wardenMessageSchema = z.discriminatedUnion('type', [
  /** Answer to `hello`: everything it knows. */
  z.object({ type: z.literal('state'), protocol: z.int(), spawns: z.array(seenSchema) }),
  /** What has changed, in the order in which it did. */
  z.object({ type: z.literal('news'), seen: z.array(seenSchema) }),
  z.object({ type: z.literal('swept') }),
  z.object({ type: z.literal('refused'), message: z.string() }),
  z.object({ type: z.literal('error'), message: z.string() }),
]);
export type WardenMessage = z.infer<typeof wardenMessageSchema>;
