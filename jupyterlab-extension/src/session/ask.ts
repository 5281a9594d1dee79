import type { Answer, Service } from '@pilothouse/sdk';
import type { RequestOptions, ServiceRequestInput } from '@pilothouse/sdk/internal';

/** An answer to any kind of request: what it came to is in its record. */
export type AnyAnswer = Answer<unknown>;

/** Asks a service whatever a form, or a kept request, holds. Always through Pilothouse, which keeps the answer. */
export function ask(service: Service, request: ServiceRequestInput, options: RequestOptions): AnyAnswer {
  switch (request.op) {
    case 'chat':
      return service.chat(request.messages, options);
    case 'complete':
      return service.complete(request.prompt, options);
    case 'embed':
      return service.embed(request.input, options);
    case 'infer':
      return service.infer(request.inputs, { ...options, outputs: request.outputs, stream: request.stream });
    case 'call':
      return service.call(request.method, request.input, { ...options, stream: request.stream, direct: false });
    case 'rest':
      return service.rest(request.path, { ...options, method: request.method, body: request.body });
  }
}
