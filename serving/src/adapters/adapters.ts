import type { ServiceApi } from '@pilothouse/sdk/shared';
import type { Adapter } from '../types.js';
import { HttpClient } from './http/client.js';
import { OllamaAdapter } from './ollama/ollama.js';
import { OpenInferenceAdapter } from './open-inference/open-inference.js';
import { OpenAiAdapter } from './openai/openai.js';
import { RestAdapter } from './rest/rest.js';
import { RuZmqAdapter } from './ru-zmq/ru-zmq.js';
import { refuse } from './support.js';
import { withoutKey } from './without-key.js';
import { ZeromqAdapter } from './zeromq/zeromq.js';

/** One adapter per API, over shared connections. */
export interface Adapters {
  readonly byApi: Readonly<Record<ServiceApi, Adapter>>;
  /** The connections that those over HTTP share. */
  readonly http: HttpClient;
  /** Closes the connections that wait for a next request; calls under way end by themselves. */
  close(): void;
}

/** Makes the adapters of all APIs. What they reject with never holds a key. */
export function createAdapters(): Adapters {
  const http = new HttpClient();
  const inference = new OpenInferenceAdapter(http);
  const zeromq = new ZeromqAdapter();
  return {
    http,
    byApi: {
      openai: guarded(new OpenAiAdapter(http)),
      ollama: guarded(new OllamaAdapter(http)),
      'open-inference': guarded(inference),
      zeromq: guarded(zeromq),
      'ru-zmq': guarded(new RuZmqAdapter()),
      rest: guarded(new RestAdapter(http)),
      any: UNKNOWN,
    },
    close: () => {
      http.close();
      inference.close();
      zeromq.close();
    },
  };
}

/** Pilothouse starts and watches such a service, and knows no way to call it. */
const UNKNOWN: Adapter = {
  api: 'any',
  ops: new Set(),
  ask: ({ target, request }) => Promise.reject(refuse(UNKNOWN, target.name, request.op)),
  models: () => Promise.resolve([]),
  check: () => Promise.resolve('not looked at'),
};

function guarded(adapter: Adapter): Adapter {
  return {
    api: adapter.api,
    ops: adapter.ops,
    ask: (call) => withoutKey(call.target.key, () => adapter.ask(call)),
    models: (target, signal) => withoutKey(target.key, () => adapter.models(target, signal)),
    check: (target, signal) => withoutKey(target.key, () => adapter.check(target, signal)),
  };
}
