import { type DefinedService, SINGLE_METHOD } from '../../service-definition/types.js';
import { isFinal } from '../picture/final.js';
import type { CallOptions, MethodOptions, Service, ServiceCaller } from '../types.js';
import type { AnswerHandle } from './answer-handle.js';
import type { Core } from './core.js';
import { askMethod } from './method-question.js';
import { definedReading } from './method-reading.js';

type Find = (ref: string, options?: CallOptions) => Promise<Service>;

/** The caller of a service by its definition; see `session.services.get`. */
export function callerOf<S extends DefinedService>(
  core: Core,
  definition: S,
  ref: string | Service,
  find: Find,
): ServiceCaller<S>;
export function callerOf(core: Core, definition: DefinedService, ref: string | Service, find: Find): unknown {
  return definition.single ? new Single(core, definition, ref, find) : new Several(core, definition, ref, find);
}

class DefinedCaller {
  readonly #core: Core;
  readonly #definition: DefinedService;
  readonly #ref: string | Service;
  readonly #find: Find;

  constructor(core: Core, definition: DefinedService, ref: string | Service, find: Find) {
    this.#core = core;
    this.#definition = definition;
    this.#ref = ref;
    this.#find = find;
  }

  get name(): string {
    return typeof this.#ref === 'string' ? this.#ref : this.#ref.name;
  }

  async service(options?: CallOptions): Promise<Service> {
    return typeof this.#ref === 'string' ? this.#find(this.#ref, options) : this.#ref;
  }

  async ready(options?: CallOptions): Promise<void> {
    const service = await this.service(options);
    await service.ready(options);
  }

  protected ask(method: string, input: unknown, options: MethodOptions): AnswerHandle<unknown, unknown> {
    const reading = definedReading(this.#definition, method);
    const ref = this.#ref;
    const known = typeof ref === 'string' ? this.#live(ref) : ref.record;
    // By its name it is found by the bridge, also where the picture does not have it yet.
    const service = known ?? { id: this.name, name: this.name };
    return askMethod(this.#core, { service, known, method, input, reading, options });
  }

  #live(ref: string) {
    const named = this.#core.store.services.listed.filter(({ id, name }) => id === ref || name === ref);
    return named.find((record) => !isFinal(record));
  }
}

class Single extends DefinedCaller {
  call(input: unknown, options: MethodOptions = {}): AnswerHandle<unknown, unknown> {
    return this.ask(SINGLE_METHOD, input, options);
  }
}

class Several extends DefinedCaller {
  call(method: string, input: unknown, options: MethodOptions = {}): AnswerHandle<unknown, unknown> {
    return this.ask(method, input, options);
  }
}
