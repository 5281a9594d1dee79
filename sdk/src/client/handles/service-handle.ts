import type {
  LogChunk,
  Message,
  Part,
  RequestOptions,
  ServiceRecord,
  ServiceRequest,
  ServiceStatistics,
  Tensor,
} from '../../schemas/index.js';
import { type ServiceState, serviceStates } from '../../states/index.js';
import type { BridgeApi } from '../api.js';
import { mapService } from '../collections/batches.js';
import { secondsOf } from '../deadline.js';
import type { RecordCell } from '../picture/record-cell.js';
import type {
  Answer,
  AskOptions,
  Batch,
  BatchOptions,
  CallOptions,
  Explanation,
  InferOptions,
  InstanceOptions,
  LogOptions,
  MapInput,
  MethodOptions,
  ReplyOptions,
  RestOptions,
  RestReply,
  ScaleInput,
  Service,
  StatisticsOptions,
  TensorInput,
} from '../types.js';
import { AnswerHandle } from './answer-handle.js';
import type { Core } from './core.js';
import { goneError } from './failures.js';
import { LiveHandle } from './live-handle.js';
import { askMethod } from './method-question.js';
import { PublishedMethods } from './method-reading.js';
import { type Reading, restReading, tensorReading, vectorReading, wholeReading } from './reading.js';

const LOG_BYTES = 64 * 1024;

/** {@link Service} over a session. */
export class ServiceHandle extends LiveHandle<ServiceState, ServiceRecord> implements Service {
  readonly kind = 'service';
  readonly #methods = new PublishedMethods();

  constructor(core: Core, cell: RecordCell<ServiceRecord>) {
    super(core, cell, serviceStates);
  }

  async ready(options?: CallOptions): Promise<void> {
    await this.wait(`service ${this.name}: READY`, options, (record) => {
      if (record.state === 'READY' || record.state === 'DEGRADED') return true;
      if (record.state === 'STOPPING' || serviceStates.isFinal(record.state)) {
        throw goneError(record, 'can no longer become ready');
      }
      return undefined;
    });
  }

  chat(prompt: string | readonly Part[] | readonly Message[], { signal, ...options }: AskOptions = {}): Answer {
    return this.#ask({ op: 'chat', messages: messagesOf(prompt) }, options, signal, wholeReading);
  }

  complete(prompt: string, { signal, ...options }: AskOptions = {}): Answer {
    return this.#ask({ op: 'complete', prompt }, options, signal, wholeReading);
  }

  embed(input: string | readonly string[], { signal, ...options }: ReplyOptions = {}): Answer<number[][]> {
    const texts = typeof input === 'string' ? [input] : [...input];
    return this.#ask({ op: 'embed', input: texts }, options, signal, vectorReading);
  }

  infer(
    inputs: readonly TensorInput[],
    { signal, outputs, stream = false, ...options }: InferOptions = {},
  ): Answer<Tensor[], Tensor[]> {
    const tensors = inputs.map(({ data, shape, ...tensor }) => ({ ...tensor, shape: [...shape], data: [...data] }));
    const wanted = outputs === undefined ? {} : { outputs: [...outputs] };
    return this.#ask({ op: 'infer', inputs: tensors, ...wanted, stream }, options, signal, tensorReading);
  }

  call(method: string, input: unknown, options: MethodOptions = {}): Answer<unknown> {
    const { record } = this;
    const reading = this.#methods.reading(record, method);
    return askMethod(this.core, { service: record, known: record, method, input, reading, options });
  }

  rest(path: string, { signal, method = 'POST', body, ...options }: RestOptions = {}): Answer<RestReply> {
    const content = body === undefined ? {} : { body };
    return this.#ask({ op: 'rest', method, path, ...content }, options, signal, restReading);
  }

  map(input: MapInput, options?: BatchOptions): Promise<Batch> {
    return mapService(this.core, this.record, input, options);
  }

  scale(instances: ScaleInput, options?: CallOptions): Promise<void> {
    return this.#change('scaling', options, (api, signal) =>
      api.services.scale({ ref: this.id, instances }, { signal }),
    );
  }

  drain({ instance, ...options }: InstanceOptions = {}): Promise<void> {
    return this.#change('draining', options, (api, signal) =>
      api.services.drain({ ref: this.id, instance }, { signal }),
    );
  }

  restart({ instance, ...options }: InstanceOptions = {}): Promise<void> {
    return this.#change('restarting', options, (api, signal) =>
      api.services.restart({ ref: this.id, instance }, { signal }),
    );
  }

  statistics({ step = '2s', buckets = 60, ...options }: StatisticsOptions = {}): Promise<ServiceStatistics> {
    return this.core.caller.call(`statistics of service ${this.name}`, options, async (api, signal) =>
      api.services.statistics({ ref: this.id, step: secondsOf('step', step), buckets }, { signal }),
    );
  }

  log({
    stream = 'stderr',
    offset = 0,
    limit = LOG_BYTES,
    instance = 1,
    ...options
  }: LogOptions & { readonly instance?: number | undefined } = {}): Promise<LogChunk> {
    return this.core.caller.call(`reading the log of service ${this.name}`, options, (api, signal) =>
      api.services.log({ ref: this.id, stream, offset, limit, instance }, { signal }),
    );
  }

  explanation(options?: CallOptions): Promise<Explanation> {
    return this.core.caller.call(`explaining service ${this.name}`, options, (api, signal) =>
      api.services.explain({ ref: this.id }, { signal }),
    );
  }

  probe(options?: CallOptions): Promise<void> {
    return this.#change('probing', options, (api, signal) => api.services.probe({ ref: this.id }, { signal }));
  }

  stop(options?: CallOptions): Promise<void> {
    return this.#change('stopping', options, (api, signal) => api.services.stop({ ref: this.id }, { signal }));
  }

  #ask<R, D>(
    request: ServiceRequest,
    options: RequestOptions,
    signal: AbortSignal | undefined,
    reading: Reading<R, D>,
  ): AnswerHandle<R, D> {
    return AnswerHandle.ask(this.core, { service: this.record, request, options, reading }, signal);
  }

  async #change(
    doing: string,
    options: CallOptions | undefined,
    run: (api: BridgeApi, signal: AbortSignal) => Promise<ServiceRecord>,
  ): Promise<void> {
    this.core.store.services.put(await this.core.caller.call(`${doing} service ${this.name}`, options, run));
  }
}

function messagesOf(prompt: string | readonly Part[] | readonly Message[]): Message[] {
  if (typeof prompt === 'string') return [{ role: 'user', content: prompt }];
  const messages: Message[] = [];
  const parts: Part[] = [];
  for (const piece of prompt) {
    if ('role' in piece) messages.push(piece);
    else parts.push(piece);
  }
  return parts.length === 0 ? messages : [...messages, { role: 'user', content: parts }];
}
