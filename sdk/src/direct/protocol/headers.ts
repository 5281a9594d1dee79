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

/** Header of a message from a client. */
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

/** Header of a message from a service. */
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

/** The first frame of a message: its header and, as text, its body. */
export interface FirstFrame<Header> {
  readonly header: Header;
  readonly body: string | undefined;
}

/** Ends the header in the first frame. JSON that is written compactly has none inside. */
const END = '\n';

/** The header of a call without further frames; written out, since it is the most frequent one. */
export function plainCallHeader(id: number, method: string): string {
  return `{"t":"call","id":${id},"method":${JSON.stringify(method)}}`;
}

/** The header of a reply without further frames. */
export function plainReplyHeader(
  id: number,
  { outstanding, queued, waited, ran }: { outstanding: number; queued: number; waited: number; ran: number },
): string {
  return `{"t":"reply","id":${id},"outstanding":${outstanding},"queued":${queued},"waited":${waited},"ran":${ran}}`;
}

/** A first frame as it is sent. One frame for both: each costs an encryption, and a buffer on each side. */
export function firstFrame(header: object | string, body?: string): string {
  const head = typeof header === 'string' ? header : JSON.stringify(header);
  return body === undefined ? head : `${head}${END}${body}`;
}

/** What a client sends; undefined for anything else. Never throws. */
export function parseClientFrame(frame: Uint8Array | undefined): FirstFrame<ClientHeader> | undefined {
  const { json, body } = split(frame);
  const header = plainCall(json) ?? clientHeaderSchema.safeParse(json).data;
  return header && { header, body };
}

/** As {@link parseClientFrame}, of what a service sends. */
export function parseServerFrame(frame: Uint8Array | undefined): FirstFrame<ServerHeader> | undefined {
  const { json, body } = split(frame);
  const header = plainReply(json) ?? serverHeaderSchema.safeParse(json).data;
  return header && { header, body };
}

/** The number of a call in a header that cannot be used otherwise, so that its caller can be told. */
export function idIn(frame: Uint8Array | undefined): number | undefined {
  return z.object({ id }).safeParse(split(frame).json).data?.id;
}

/** The most frequent header, known without the schema, which takes several times as long. */
function plainCall(json: unknown): ClientHeader | undefined {
  if (typeof json !== 'object' || json === null || !('t' in json) || json.t !== 'call') return undefined;
  if (!('id' in json) || !isId(json.id) || 'credits' in json || 'binaries' in json) return undefined;
  if (!('method' in json) || typeof json.method !== 'string') return undefined;
  const { id: number, method } = json;
  return method !== '' && method.length <= 256 ? { t: 'call', id: number, method } : undefined;
}

function plainReply(json: unknown): ServerHeader | undefined {
  if (typeof json !== 'object' || json === null || !('t' in json) || json.t !== 'reply' || 'binaries' in json) {
    return undefined;
  }
  if (!('id' in json && 'outstanding' in json && 'queued' in json && 'waited' in json && 'ran' in json)) {
    return undefined;
  }
  const { id: number, outstanding, queued, waited, ran } = json;
  if (!isId(number) || !isCount(outstanding) || !isCount(queued) || !isTime(waited) || !isTime(ran)) return undefined;
  return { t: 'reply', id: number, outstanding, queued, waited, ran };
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isTime(value: unknown): value is number {
  return Number.isFinite(value) && Number(value) >= 0;
}

function split(frame: Uint8Array | undefined): { json: unknown; body: string | undefined } {
  if (frame === undefined) return { json: undefined, body: undefined };
  const text = textOf(frame);
  const end = text.indexOf(END);
  const length = end === -1 ? text.length : end;
  if (length > MAX_HEADER) return { json: undefined, body: undefined };
  try {
    return { json: JSON.parse(text.slice(0, length)), body: end === -1 ? undefined : text.slice(end + 1) };
  } catch {
    return { json: undefined, body: undefined };
  }
}

/** UTF-8 of a frame. Buffers decode short texts several times as fast as a TextDecoder. */
function textOf(frame: Uint8Array): string {
  const buffer = Buffer.isBuffer(frame) ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  return buffer.toString('utf8');
}
