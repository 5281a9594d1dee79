import type { RequestOptions, ServiceRecord, ServiceRequestInput } from '@pilothouse/sdk/internal';
import { exampleOf } from './schema-example.js';

const PROMPT = 'What does ionizing radiation do to DNA?';

/** A request that a service of that kind takes, to begin with; null where only watching makes sense. */
export function exampleRequest(
  service: Pick<ServiceRecord, 'api' | 'methods' | 'model'>,
): { readonly request: ServiceRequestInput; readonly options: RequestOptions } | null {
  switch (service.api) {
    case 'openai':
    case 'ollama':
      return { request: { op: 'chat', messages: [{ role: 'user', content: PROMPT }] }, options: { maxTokens: 120 } };
    case 'open-inference':
      return {
        request: { op: 'infer', inputs: [{ name: 'input-0', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] }] },
        options: {},
      };
    case 'zeromq':
    case 'ru-zmq': {
      const method = service.methods?.[0];
      return method === undefined
        ? { request: { op: 'call', method: 'call', input: {} }, options: {} }
        : {
            request: {
              op: 'call',
              method: method.name,
              input: exampleOf(method.input),
              ...(method.chunk === null ? {} : { stream: true }),
            },
            options: {},
          };
    }
    case 'rest':
      return { request: { op: 'rest', method: 'GET', path: '/' }, options: {} };
    case 'any':
      return null;
  }
}

/** The name of the method that asks this, and its arguments as values: the same in every language. */
export interface CallShape {
  readonly method: 'chat' | 'complete' | 'embed' | 'infer' | 'call' | 'rest';
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** How a request is written as a call of a service. */
export function callShape(request: ServiceRequestInput, options: RequestOptions): CallShape {
  switch (request.op) {
    case 'chat': {
      const [first, ...more] = request.messages;
      const plain = more.length === 0 && first?.role === 'user' ? first.content : request.messages;
      return { method: 'chat', args: [plain], options: { ...options } };
    }
    case 'complete':
      return { method: 'complete', args: [request.prompt], options: { ...options } };
    case 'embed':
      return { method: 'embed', args: [request.input], options: { ...options } };
    case 'infer':
      return {
        method: 'infer',
        args: [request.inputs],
        options: {
          ...(request.outputs === undefined ? {} : { outputs: request.outputs }),
          ...(request.stream === true ? { stream: true } : {}),
          ...options,
        },
      };
    case 'call':
      return {
        method: 'call',
        args: [request.method, request.input],
        options: { ...(request.stream === true ? { stream: true } : {}), ...options },
      };
    case 'rest':
      return {
        method: 'rest',
        args: [request.path],
        options: {
          method: request.method ?? 'POST',
          ...(request.body === undefined ? {} : { body: request.body }),
          ...options,
        },
      };
  }
}
