import type { ServiceRecord, ServiceRequest } from '../../schemas/index.js';
import type { Maybe } from '../../service-definition/check.js';
import type { MethodOptions } from '../types.js';
import { AnswerHandle } from './answer-handle.js';
import type { Core } from './core.js';
import type { MethodReading } from './method-reading.js';

/** A method with its input, as callers give them. */
export interface MethodQuestion {
  readonly service: { readonly id: string; readonly name: string };
  /** What is known of the service, for the direct way; undefined: not known here. */
  readonly known: ServiceRecord | undefined;
  readonly method: string;
  readonly input: unknown;
  readonly reading: MethodReading;
  readonly options: MethodOptions;
}

/** Calls a method, past the bridge where there is a way; its input is checked before it is sent. */
export function askMethod(
  core: Core,
  { service, known, method, input, reading, options }: MethodQuestion,
): AnswerHandle<unknown, unknown> {
  const { signal, stream = reading.streams, direct = true, ...rest } = options;
  const request = (checked: unknown): ServiceRequest => ({ op: 'call', method, input: checked, stream });
  const checked = (): Maybe<ServiceRequest> => {
    const read = reading.input(input);
    return read instanceof Promise ? read.then(request) : request(read);
  };
  const way = direct && core.direct && known ? { caller: core.direct, service: known } : undefined;
  return AnswerHandle.ask(
    core,
    { service, request: request(input), options: rest, reading, checked, direct: way },
    signal,
  );
}
