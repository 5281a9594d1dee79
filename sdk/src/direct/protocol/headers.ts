import { z } from 'zod';
import { errorDataSchema } from '../../errors/codes.js';
import { methodSchema } from '../../schemas/service-record.js';
import { MAX_BINARIES, MAX_CREDITS, MAX_HEADER } from './limits.js';

const id = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const count = z.int().min(0);
const milliseconds = z.number().min(0);

/** Kinds of elements of a binary frame: those of NumPy's array protocol, little-endian; `bytes` is no array. */
export const ELEMENT_TYPES = ['f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1', 'bytes'] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

/** What one binary frame holds. */
export const binarySchema = z.object({ type: z.enum(ELEMENT_TYPES), shape: z.array(count).max(32) });
export type Binary = z.infer<typeof binarySchema>;

const binaries = z.array(binarySchema).max(MAX_BINARIES).optional();

/** First frame of a message from a client. */
export const clientHeaderSchema = z.discriminatedUnion('t', [
  /** First message of a connection: versions it speaks, and the token. */
  z.object({ t: z.literal('hello'), v: z.array(z.int()).max(16), token: z.string().max(4096) }),
  /** A call; with `credits` its answer may come in pieces, so many ahead. Body: the input. */
  z.object({
    t: z.literal('call'),
    id,
    method: z.string().min(1).max(256),
    credits: z.int().min(1).max(MAX_CREDITS).optional(),
    binaries,
  }),
  /** So many more pieces may come. */
  z.object({ t: z.literal('grant'), id, credits: z.int().min(1).max(MAX_CREDITS) }),
  /** Nobody waits for it any more. */
  z.object({ t: z.literal('cancel'), id }),
  /** How are you? With `methods`: and what can you do? */
  z.object({ t: z.literal('ping'), id, methods: z.boolean().optional() }),
  /** The client goes; what it has asked for is canceled. */
  z.object({ t: z.literal('bye') }),
]);
export type ClientHeader = z.infer<typeof clientHeaderSchema>;

/** What a service has to do: with each answer, so that clients can choose the least busy instance. */
const load = { outstanding: count, queued: count };
const timing = { waited: milliseconds, ran: milliseconds };

/** First frame of a message from a service. */
export const serverHeaderSchema = z.discriminatedUnion('t', [
  /** Answer to `hello`. */
  z.object({ t: z.literal('welcome'), v: z.int(), name: z.string() }),
  /** Answer to a `hello` that is refused. */
  z.object({ t: z.literal('refused'), error: errorDataSchema }),
  /** Answer to anything before `hello`: it was not taken. */
  z.object({ t: z.literal('unknown'), id: id.optional() }),
  /** One piece of an answer; `n` counts from 0. Body: the piece. */
  z.object({ t: z.literal('chunk'), id, n: count, binaries }),
  /** The value. Body: the output. */
  z.object({ t: z.literal('reply'), id, ...load, ...timing, binaries }),
  /** It failed. */
  z.object({ t: z.literal('error'), id, ...load, ...timing, error: errorDataSchema }),
  z.object({
    t: z.literal('pong'),
    id,
    ok: z.boolean(),
    text: z.string(),
    name: z.string(),
    version: z.string(),
    draining: z.boolean(),
    concurrency: count,
    ...load,
  }),
  /** Now and then: the client is still wanted, and how much there is to do. */
  z.object({ t: z.literal('load'), draining: z.boolean(), ...load }),
]);
export type ServerHeader = z.infer<typeof serverHeaderSchema>;

/** Body of a `pong` that was asked for methods. */
export const methodsSchema = z.array(methodSchema);

/** The header in a frame; undefined for anything else. Never throws. */
export function parseClientHeader(frame: Uint8Array | undefined): ClientHeader | undefined {
  return clientHeaderSchema.safeParse(parseJson(frame)).data;
}

/** As {@link parseClientHeader}, of what a service sends. */
export function parseServerHeader(frame: Uint8Array | undefined): ServerHeader | undefined {
  return serverHeaderSchema.safeParse(parseJson(frame)).data;
}

/** The number of a call in a header that cannot be used otherwise, so that its caller can be told. */
export function idIn(frame: Uint8Array | undefined): number | undefined {
  return z.object({ id }).safeParse(parseJson(frame)).data?.id;
}

function parseJson(frame: Uint8Array | undefined): unknown {
  if (frame === undefined || frame.byteLength > MAX_HEADER) return undefined;
  try {
    return JSON.parse(textOf(frame));
  } catch {
    return undefined;
  }
}

/** UTF-8 of a frame. Buffers decode short texts several times as fast as a TextDecoder. */
export function textOf(frame: Uint8Array): string {
  return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('utf8');
}
