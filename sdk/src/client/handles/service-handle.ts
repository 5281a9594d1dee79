import type { ChatOptions, LogChunk, Message, ServiceRecord } from '../../schemas/index.js';
import { type ServiceState, serviceStates } from '../../states/index.js';
import type { RecordCell } from '../picture/record-cell.js';
import type { Answer, CallOptions, Explanation, LogOptions, Service } from '../types.js';
import { AnswerHandle } from './answer-handle.js';
import type { Core } from './core.js';
import { goneError } from './failures.js';
import { LiveHandle } from './live-handle.js';

const LOG_BYTES = 64 * 1024;

/** {@link Service} over a session. */
export class ServiceHandle extends LiveHandle<ServiceState, ServiceRecord> implements Service {
  readonly kind = 'service';

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

  chat(
    prompt: string | readonly Message[],
    options: ChatOptions & { readonly signal?: AbortSignal | undefined } = {},
  ): Answer {
    const { signal, ...rest } = options;
    const messages: Message[] = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : [...prompt];
    return AnswerHandle.ask(this.core, { id: this.id, name: this.name }, { op: 'chat', messages }, rest, signal);
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

  async probe(options?: CallOptions): Promise<void> {
    const record = await this.core.caller.call(`probing service ${this.name}`, options, (api, signal) =>
      api.services.probe({ ref: this.id }, { signal }),
    );
    this.core.store.services.put(record);
  }

  async stop(options?: CallOptions): Promise<void> {
    const record = await this.core.caller.call(`stopping service ${this.name}`, options, (api, signal) =>
      api.services.stop({ ref: this.id }, { signal }),
    );
    this.core.store.services.put(record);
  }
}
