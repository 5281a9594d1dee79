import { PilothouseError, type RequestOp } from '@pilothouse/sdk/shared';
import type { Adapter, AdapterCall, Outcome, Target } from '../../types.js';
import type { HttpClient } from '../http/client.js';
import { counted, refuse } from '../support.js';
import type { GrpcInference } from './grpc-client.js';
import { RestInference } from './rest-client.js';
import { checkTensors } from './tensors.js';

/**
 * The Open Inference Protocol v2 (KServe), as MLServer, Triton and others speak it: tensors in, tensors out. Tensors go
 * over gRPC where the instance has a port named `grpc`, else over REST.
 *
 * @see https://github.com/kserve/open-inference-protocol
 */
export class OpenInferenceAdapter implements Adapter {
  readonly api = 'open-inference';
  readonly ops: ReadonlySet<RequestOp> = new Set(['infer', 'complete']);
  readonly #rest: RestInference;
  #grpc: Promise<GrpcInference> | null = null;

  constructor(http: HttpClient) {
    this.#rest = new RestInference(http);
  }

  async ask(call: AdapterCall): Promise<Outcome> {
    const { request, target } = call;
    const model = named(target);
    if (request.op === 'complete') return await this.#rest.generate(call, request.prompt, model);
    if (request.op !== 'infer') throw refuse(this, target.name, request.op);
    checkTensors(request.inputs);
    const address = target.endpoint.ports.grpc;
    if (address !== undefined) return await (await this.#overGrpc()).infer(call, request, model, address);
    return request.stream
      ? await this.#rest.inferStream(call, request, model)
      : await this.#rest.infer(call, request, model);
  }

  models(target: Target, signal: AbortSignal): Promise<string[]> {
    return this.#rest.models(target, signal);
  }

  /** Ready as a whole, and the model too where one is named: a server can be well without having loaded it. */
  async check(target: Target, signal: AbortSignal): Promise<string> {
    await this.#rest.ready(target, null, signal);
    if (target.model === null) {
      return `ready, lists ${counted((await this.#rest.models(target, signal)).length, 'model')}`;
    }
    await this.#rest.ready(target, target.model, signal);
    return `ready, and so is ${target.model}`;
  }

  close(): void {
    // What never came has nothing to close.
    this.#grpc?.then((grpc) => grpc.close()).catch(() => undefined);
  }

  /** gRPC's library is large, and most services are called without it. */
  #overGrpc(): Promise<GrpcInference> {
    this.#grpc ??= import('./grpc-client.js').then(({ GrpcInference }) => new GrpcInference(this.#rest));
    return this.#grpc;
  }
}

function named({ model, name }: Target): string {
  if (model !== null) return model;
  throw new PilothouseError('MODEL_NOT_FOUND', `${name} has no model that is ready, or does not list its models`, {
    hint: 'Name the model in the description of the service.',
  });
}
