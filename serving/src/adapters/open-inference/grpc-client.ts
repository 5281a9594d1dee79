import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { AdapterCall, Outcome } from '../../types.js';
import { emptyAnswer } from '../http/body.js';
import { unreadable } from '../server-error.js';
import { NOTHING_KNOWN } from '../support.js';
import { grpcError } from './grpc-errors.js';
import { fromResponse, type GrpcResponse, grpcResponseSchema, hasFields, toMessage } from './grpc-tensors.js';
import { InferRequestType, InferResponseType, MODEL_INFER, MODEL_STREAM_INFER, StreamResponseType } from './proto.js';
import type { InferRequest, RestInference } from './rest-client.js';

/** Bytes of one message either way. */
const MAX_MESSAGE = 64 * 1024 * 1024;
/** Connections kept for a next request; the one unused for longest goes first. */
const MAX_CLIENTS = 64;
const OBJECT = { longs: String, arrays: true } as const;

interface Kept {
  readonly client: Client;
  active: number;
}

/** Open Inference over gRPC: `ModelInfer`, and `ModelStreamInfer` for answers in pieces. */
export class GrpcInference {
  readonly #clients = new Map<string, Kept>();

  /** @param rest - takes tensors that have no field in the protocol's messages (FP16) */
  constructor(private readonly rest: RestInference) {}

  async infer(call: AdapterCall, request: InferRequest, model: string, address: string): Promise<Outcome> {
    if (!hasFields(request.inputs)) {
      return request.stream
        ? await this.rest.inferStream(call, request, model)
        : await this.rest.infer(call, request, model);
    }
    call.signal.throwIfAborted();
    const kept = this.#client(address);
    kept.active += 1;
    try {
      const message = encode(call, request, model);
      return request.stream
        ? await this.#stream(kept.client, call, message, address)
        : await this.#unary(kept.client, call, message, address);
    } finally {
      kept.active -= 1;
    }
  }

  close(): void {
    for (const { client } of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #unary(client: Client, call: AdapterCall, message: Buffer, address: string): Promise<Outcome> {
    const { target, signal } = call;
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const done = (error: ServiceError | null, bytes?: Buffer): void => {
      signal.removeEventListener('abort', abort);
      try {
        signal.throwIfAborted();
        if (error !== null) throw grpcError(error, { target, ...where(address), streamed: false });
        call.onStart();
        const response = decode(call, bytes ?? Buffer.alloc(0));
        if (response.outputs.length === 0) throw emptyAnswer(target.name, 200);
        resolve({ ...NOTHING_KNOWN, value: fromResponse(response), ...seen(response) });
      } catch (failure) {
        reject(failure);
      }
    };
    const request = client.makeUnaryRequest(MODEL_INFER, identity, identity, message, metadata(call), done);
    const abort = (): void => request.cancel();
    signal.addEventListener('abort', abort, { once: true });
    return promise;
  }

  #stream(client: Client, call: AdapterCall, message: Buffer, address: string): Promise<Outcome> {
    const { target, signal } = call;
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    let last: GrpcResponse | null = null;
    const stream = client.makeBidiStreamRequest(MODEL_STREAM_INFER, identity, identity, metadata(call));
    const abort = (): void => stream.cancel();
    signal.addEventListener('abort', abort, { once: true });
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', abort);
      settle();
    };
    stream.on('data', (bytes: Buffer) => {
      if (signal.aborted) return;
      try {
        if (last === null) call.onStart();
        last = decode(call, bytes);
        call.onChunk('', fromResponse(last));
      } catch (failure) {
        end(() => reject(failure));
        stream.cancel();
      }
    });
    // Stays on: a stream that is canceled after it has ended still reports that.
    stream.on('error', (error: ServiceError) => {
      end(() => {
        if (signal.aborted) reject(signal.reason);
        else reject(grpcError(error, { target, ...where(address), streamed: last !== null }));
      });
    });
    stream.on('end', () => {
      // An error, where there is one, comes right after the end.
      setImmediate(() =>
        end(() => {
          if (last === null) reject(emptyAnswer(target.name, 200));
          else resolve({ ...NOTHING_KNOWN, ...seen(last), finishReason: 'stop' });
        }),
      );
    });
    stream.write(message);
    stream.end();
    return promise;
  }

  #client(address: string): Kept {
    const known = this.#clients.get(address);
    if (known !== undefined) {
      // The one used last stands last.
      this.#clients.delete(address);
      this.#clients.set(address, known);
      return known;
    }
    for (const [old, { client, active }] of this.#clients) {
      if (this.#clients.size < MAX_CLIENTS) break;
      if (active > 0) continue;
      client.close();
      this.#clients.delete(old);
    }
    const { address: host, secure } = where(address);
    const client = new Client(host, secure ? credentials.createSsl() : credentials.createInsecure(), {
      'grpc.max_receive_message_length': MAX_MESSAGE,
      'grpc.max_send_message_length': MAX_MESSAGE,
      'grpc.enable_http_proxy': 0,
    });
    const kept = { client, active: 0 };
    this.#clients.set(address, kept);
    return kept;
  }
}

/** Messages are made and read by us, so that both kinds of stream answers can be told apart. */
const identity = (bytes: Buffer): Buffer => bytes;

/** Host and port of an address such as `http://127.0.0.1:8001`, `grpc://…` or `https://…`. */
function where(address: string): { address: string; secure: boolean } {
  const secure = /^(https|grpcs):/.test(address);
  return { address: address.replace(/^[a-z+]+:\/\//, '').replace(/\/.*$/, ''), secure };
}

function metadata({ target }: AdapterCall): Metadata {
  const sent = new Metadata();
  if (target.key !== null) sent.set('authorization', `Bearer ${target.key}`);
  return sent;
}

function encode({ options }: AdapterCall, { inputs, outputs = [] }: InferRequest, model: string): Buffer {
  const message = InferRequestType.fromObject({
    model_name: model,
    inputs: inputs.map(toMessage),
    outputs: outputs.map((name) => ({ name })),
    parameters: Object.fromEntries(
      Object.entries(options.extra ?? {}).map(([name, value]) => [name, parameter(value)]),
    ),
  });
  return Buffer.from(InferRequestType.encode(message).finish());
}

function parameter(value: unknown): Record<string, unknown> {
  if (typeof value === 'boolean') return { bool_param: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { int64_param: value } : { double_param: value };
  return { string_param: typeof value === 'string' ? value : JSON.stringify(value) };
}

/**
 * Reads one answer. MLServer streams bare answers, Triton wraps each, with room for an error: a wrapped one has no
 * outputs and no id when it is read as a bare one.
 */
function decode(call: AdapterCall, bytes: Buffer): GrpcResponse {
  const { target } = call;
  try {
    const bare = grpcResponseSchema.parse(InferResponseType.toObject(InferResponseType.decode(bytes), OBJECT));
    if (bare.outputs.length > 0 || bare.id !== '' || call.request.op !== 'infer' || !call.request.stream) return bare;
  } catch (error) {
    if (call.request.op !== 'infer' || !call.request.stream) throw unreadableBytes(call, bytes, error);
  }
  try {
    const wrapped = StreamResponseType.toObject(StreamResponseType.decode(bytes), OBJECT);
    if (wrapped.error_message) {
      throw grpcError(
        { message: String(wrapped.error_message) },
        { target, address: '', secure: false, streamed: true },
      );
    }
    return grpcResponseSchema.parse(wrapped.infer_response ?? {});
  } catch (error) {
    if (error instanceof Error && error.name === 'PilothouseError') throw error;
    throw unreadableBytes(call, bytes, error);
  }
}

function unreadableBytes({ target }: AdapterCall, bytes: Buffer, cause: unknown): Error {
  return unreadable(target, 'the Open Inference Protocol', `${bytes.length} bytes`, cause);
}

function seen({ model_name: model, model_version: version }: GrpcResponse): Pick<Outcome, 'model' | 'revision'> {
  return { model: model || null, revision: version || null };
}
