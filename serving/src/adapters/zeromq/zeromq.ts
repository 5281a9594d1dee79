import type { Connection, Connections, Target as DirectTarget } from '@pilothouse/sdk/direct';
import { type Method, PilothouseError, type RequestOp } from '@pilothouse/sdk/shared';
import type { Adapter, AdapterCall, Outcome, Target } from '../../types.js';
import { noteNeverArrived } from '../http/failures.js';
import { NOTHING_KNOWN, refuse } from '../support.js';

/** Milliseconds that a health check may take where its signal allows more. */
const CHECK_TIMEOUT = 5_000;

/**
 * Services of one's own, over the ZeroMQ protocol of Pilothouse: calls run side by side on one encrypted connection per
 * instance, streams have back-pressure, and a call that is aborted is canceled at the service.
 */
export class ZeromqAdapter implements Adapter {
  readonly api = 'zeromq';
  readonly ops: ReadonlySet<RequestOp> = new Set(['call']);
  #connections: Promise<Connections> | null = null;

  async ask(call: AdapterCall): Promise<Outcome> {
    const { request, target, signal } = call;
    if (request.op !== 'call') throw refuse(this, target.name, request.op);
    const connection = (await this.#open()).to(directTarget(target));
    const { method, input, stream } = request;
    const onChunk = (data: unknown): void => call.onChunk('', plain(data));
    try {
      const reply = await connection.call({ method, input, stream, signal, onStart: call.onStart, onChunk });
      return { ...NOTHING_KNOWN, value: plain(reply.value) ?? null, inference: reply.ran, queued: reply.waited };
    } catch (error) {
      throw explained(error, connection);
    }
  }

  /** Its methods are in the record of the service; models are what the methods make of them. */
  models(): Promise<string[]> {
    return Promise.resolve([]);
  }

  async check(target: Target, signal: AbortSignal): Promise<string> {
    const { ping } = await import('@pilothouse/sdk/direct');
    const pong = await ping(directTarget(target), { timeout: CHECK_TIMEOUT, signal });
    if (pong.ok) return pong.text;
    throw new PilothouseError('SERVICE_NOT_READY', `${target.name} says of itself: ${pong.text}`, {
      hint: 'See its log, or ask again in a moment.',
    });
  }

  close(): void {
    // What never came has nothing to close.
    this.#connections?.then((connections) => connections.close()).catch(() => undefined);
  }

  /** The addon is loaded where it is needed: most bridges and agents call no such service. */
  #open(): Promise<Connections> {
    this.#connections ??= import('@pilothouse/sdk/direct').then((direct) => new direct.Connections());
    return this.#connections;
  }
}

/** What a service says it can do. */
export async function methodsOf(target: Target, signal: AbortSignal): Promise<readonly Method[]> {
  const { ping } = await import('@pilothouse/sdk/direct');
  const { methods } = await ping(directTarget(target), { timeout: CHECK_TIMEOUT, signal, methods: true });
  return methods ?? [];
}

/** @throws PilothouseError AUTHENTICATION_FAILED where the keys are missing that such a service always has */
function directTarget({ endpoint, key, name, credential }: Target): DirectTarget {
  if (endpoint.serverKey !== null && key !== null) {
    return { address: endpoint.url, serverKey: endpoint.serverKey, token: key, name };
  }
  const missing = endpoint.serverKey === null ? 'server key' : 'token';
  throw new PilothouseError('AUTHENTICATION_FAILED', `the ${missing} of ${name} is not known`, {
    hint: credential
      ? `Attach it with its server key, and store its token: pilothouse credentials add ${credential}`
      : 'Attach it with the server key and the token that it prints when it starts.',
  });
}

/** A connection that was never taken has carried nothing. */
function explained(error: unknown, connection: Connection): unknown {
  if (!connection.welcomed && error instanceof PilothouseError) noteNeverArrived(error);
  return error;
}

/** Arrays of numbers travel as such between services; in a record they are plain JSON. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value, typedArrays));
}

const NUMBERS = [
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint8Array,
  Uint16Array,
  Uint32Array,
] as const;

function typedArrays(_: string, value: unknown): unknown {
  if (value instanceof BigInt64Array || value instanceof BigUint64Array) return Array.from(value, Number);
  for (const type of NUMBERS) if (value instanceof type) return Array.from(value);
  return value;
}
