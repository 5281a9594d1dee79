import { PilothouseError, RemoteError, type RequestOp } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import type { Adapter, AdapterCall, Outcome, Target } from '../../types.js';
import { NOTHING_KNOWN, refuse } from '../support.js';
import { exchange } from './exchange.js';
import { connectTime } from './reach.js';

/** Milliseconds that a health check may take where its signal allows more. */
const CHECK_TIMEOUT = 5_000;

const replySchema = z.object({ err: z.string().nullish(), exc: z.unknown(), res: z.unknown() });
/** The parts of a call by name, for methods that take both kinds. */
const bothSchema = z.strictObject({ args: z.array(z.unknown()), kwargs: z.record(z.string(), z.unknown()) });

/**
 * The request-reply protocol of RADICAL-Utils (`radical.utils.zmq.Server`), msgpack over REQ and REP. Such a server does
 * one request after the other, asks for no key, and cannot be told to stop.
 *
 * @see https://github.com/radical-cybertools/radical.utils
 */
export class RuZmqAdapter implements Adapter {
  readonly api = 'ru-zmq';
  readonly ops: ReadonlySet<RequestOp> = new Set(['call']);

  async ask(call: AdapterCall): Promise<Outcome> {
    const { request, target, signal } = call;
    if (request.op !== 'call') throw refuse(this, target.name, request.op);
    if (request.stream) {
      throw new PilothouseError('UNSUPPORTED_REQUEST', `${target.name} answers in one piece and cannot stream`, {
        hint: 'Call the method without stream.',
        field: 'request.stream',
      });
    }
    const connect = await connectTime(target, signal);
    const message = { cmd: request.method, ...parts(request.input) };
    const value = unwrap(await exchange(target, message, signal, call.onStart), target, request.method);
    return { ...NOTHING_KNOWN, value: plain(value), connect };
  }

  /** The protocol has no list of anything. */
  models(): Promise<string[]> {
    return Promise.resolve([]);
  }

  async check(target: Target, signal: AbortSignal): Promise<string> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(CHECK_TIMEOUT)]);
    await connectTime(target, limit);
    const said = await exchange(target, { cmd: 'echo', args: ['ping'], kwargs: {} }, limit, () => undefined);
    unwrap(said, target, 'echo');
    return 'answers an echo';
  }
}

/** A list becomes the arguments in order, an object the named ones, `{args, kwargs}` both, anything else the only one. */
function parts(input: unknown): { args: unknown[]; kwargs: Record<string, unknown> } {
  const both = bothSchema.safeParse(input);
  if (both.success) return both.data;
  if (input === undefined || input === null) return { args: [], kwargs: {} };
  if (Array.isArray(input)) return { args: input, kwargs: {} };
  return typeof input === 'object' ? { args: [], kwargs: { ...input } } : { args: [input], kwargs: {} };
}

/** What came, as JSON: bytes are text there, as they are for the clients of radical.utils. */
function plain(value: unknown): unknown {
  const asText = (_: string, inner: unknown) =>
    inner instanceof Uint8Array ? Buffer.from(inner).toString('utf8') : inner;
  return value === undefined ? null : JSON.parse(JSON.stringify(value, asText));
}

function unwrap(said: unknown, { name }: Target, method: string): unknown {
  const reply = replySchema.safeParse(said);
  if (!reply.success) {
    throw new PilothouseError('BACKEND_FAILED', `${name} sent something that is no answer`, {
      hint: 'Check that a radical.utils server answers there.',
      evidence: JSON.stringify(said)?.slice(0, 500),
      cause: reply.error,
    });
  }
  const { err, exc, res } = reply.data;
  if (!err) return res;
  if (/^command \[.*\] unknown$/.test(err)) {
    throw new PilothouseError('METHOD_NOT_FOUND', `${name} has no method "${method}"`, {
      hint: 'Name one that the server has registered.',
    });
  }
  const raised = /^command failed: (.*)$/s.exec(err)?.[1];
  if (raised === undefined) {
    throw new PilothouseError('REQUEST_REFUSED', `${name} refused the request: ${err}`, {
      hint: 'Change the request as the server says.',
    });
  }
  const traceback = typeof exc === 'string' ? exc : '';
  throw new PilothouseError('FUNCTION_RAISED', `${method} of ${name} failed: ${raised}`, {
    hint: 'Read where it was raised, and correct the method or what it was given.',
    evidence: traceback || undefined,
    cause: new RemoteError({ type: 'RemoteError', message: raised, traceback }),
  });
}
