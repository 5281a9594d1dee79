import { z } from 'zod';
import { errorDataSchema } from '../errors/index.js';
import { fileChunkSchema, taskFileSchema } from '../schemas/staging.js';
import { logChunkSchema } from '../schemas/task.js';
import { beatSchema, journalRecordSchema } from './journal.js';
import { spoolRecordSchema } from './spool.js';

/** Version of the frames between bridge and agent. */
export const LINK_PROTOCOL = 1;

/** Seconds between two beats; three missed ones mean lost contact. */
export const BEAT_SECONDS = 1;

/**
 * Agent → bridge, one JSON frame each over ZeroMQ (DEALER → ROUTER, the pilot's id is the routing id).
 * `hello` first, and again whenever the bridge has changed.
 */
export const agentFrameSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    protocol: z.int(),
    pilot: z.string(),
    /** Epoch of the agent. */
    epoch: z.int(),
    /** Highest bridge epoch it obeys. */
    obeys: z.int(),
    /** Last journal record there is. */
    journalSeq: z.int(),
    /** Last spool record it has read. */
    spoolSeq: z.int(),
  }),
  z.object({ type: z.literal('events'), records: z.array(journalRecordSchema).min(1) }),
  z.object({ type: z.literal('beat'), beat: beatSchema }),
  z.object({
    type: z.literal('reply'),
    re: z.int(),
    log: logChunkSchema.optional(),
    explanation: z.object({ text: z.string(), evidence: z.array(z.string()) }).optional(),
    files: z.array(taskFileSchema).optional(),
    chunk: fileChunkSchema.optional(),
    error: errorDataSchema.optional(),
  }),
]);
export type AgentFrame = z.infer<typeof agentFrameSchema>;

/** Bridge → agent. */
export const bridgeFrameSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('welcome'),
    protocol: z.int(),
    epoch: z.int(),
    /** Send journal records after this one. */
    haveSeq: z.int(),
  }),
  /** Records that now stand in the spool, inline for speed. A gap before the first: read the spool. */
  z.object({ type: z.literal('spool'), records: z.array(spoolRecordSchema).min(1) }),
  /** Journal records up to this one are durable here; READY of an instance counts as published. */
  z.object({ type: z.literal('ack'), seq: z.int() }),
  /** Answer to a beat, so that the agent knows that the bridge is there. */
  z.object({ type: z.literal('beat'), epoch: z.int() }),
  /** Reads live output that lies on the node. */
  z.object({
    type: z.literal('log'),
    re: z.int(),
    /** Task or instance id. */
    id: z.string(),
    stream: z.enum(['stdout', 'stderr']),
    offset: z.int(),
    limit: z.int(),
  }),
  /** Why is it not further than it is? From live data of the scheduler. */
  z.object({ type: z.literal('explain'), re: z.int(), id: z.string() }),
  /** Files that a task has left in its working directory, on the node. */
  z.object({ type: z.literal('files'), re: z.int(), id: z.string() }),
  /** A piece of one of them. */
  z.object({
    type: z.literal('file'),
    re: z.int(),
    id: z.string(),
    path: z.string(),
    offset: z.number(),
    limit: z.int(),
  }),
  /** Requests that the bridge has under way and waiting, by service id; sent when it changes, and with each beat. */
  z.object({
    type: z.literal('load'),
    services: z.record(z.string(), z.object({ outstanding: z.int(), queued: z.int() })),
    /** Those under way, by instance id: one that drains waits for them. */
    instances: z.record(z.string(), z.int()).optional(),
  }),
  /** Probe these instances now. */
  z.object({ type: z.literal('probe'), re: z.int(), instances: z.array(z.string()) }),
]);
export type BridgeFrame = z.infer<typeof bridgeFrameSchema>;
