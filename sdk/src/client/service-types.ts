import type {
  AttachDescription,
  Detection,
  LogChunk,
  Message,
  Part,
  ServiceDescription,
  ServiceRecord,
  ServiceStatistics,
  TemplateReport,
  Tensor,
} from '../schemas/index.js';
import type {
  DefinedService,
  MethodChunk,
  MethodDefinitions,
  MethodInput,
  MethodOutput,
} from '../service-definition/types.js';
import type { ServiceState } from '../states/index.js';
import type { Duration } from '../units/duration.js';
import type { Answer, AskOptions, ReplyOptions } from './answer-types.js';
import type { Batch, BatchOptions, MapInput } from './batch-types.js';
import type { CallOptions, Handle, LogOptions, Pilot } from './types.js';

/** A tensor as it is given: `data` flat, in row-major order, a list or a typed array. */
export interface TensorInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Tensor['datatype'];
  readonly data: Iterable<number | string | boolean>;
}

/** What plain HTTP answered. */
export interface RestReply {
  readonly status: number;
  /** A JSON value, or text where it is none. */
  readonly body: unknown;
}

/** What a method may be given beside its input. */
export interface MethodOptions extends ReplyOptions {
  /** Take the answer in pieces (`chunks$`); default: where the method is known to answer so. */
  readonly stream?: boolean | undefined;
  /**
   * false: through Pilothouse, which keeps it among the answers. Default: straight to the instance where there is a way
   * (ZeroMQ services on this host, from Node).
   */
  readonly direct?: boolean | undefined;
}

/** What tensors may be given beside themselves. */
export interface InferOptions extends ReplyOptions {
  /** Names of the outputs wanted; default: all. */
  readonly outputs?: readonly string[] | undefined;
  /** Take the answer in pieces (`chunks$`); default: no. */
  readonly stream?: boolean | undefined;
}

/** What a plain HTTP request may be given beside its path. */
export interface RestOptions extends ReplyOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** Between how many instances a service scales, and when; see `scalingSchema`. */
export type ScaleInput = NonNullable<ServiceDescription['instances']>;

/** Which instance; default: all. */
export interface InstanceOptions extends CallOptions {
  /** Its number, from 1. */
  readonly instance?: number | undefined;
}

/** How much of the past, and how finely. */
export interface StatisticsOptions extends CallOptions {
  /** Length of a bucket; default 2 s. */
  readonly step?: Duration | undefined;
  /** Up to 600; default 60. */
  readonly buckets?: number | undefined;
}

/** A model service: one or more instances behind one name. */
export interface Service extends Handle<ServiceState, ServiceRecord> {
  readonly kind: 'service';
  /** Resolves when it can be called; rejects with SERVICE_FAILED when that can no longer come. */
  ready(options?: CallOptions): Promise<void>;
  /**
   * Asks a model. Returns at once; asked before it is ready, the question waits. Aborting `signal` stops the answer.
   * An image is a path on the side of the service, which reads it; it must lie within the folders that it may read.
   *
   * @param prompt - a question, its parts, or a whole conversation
   * @example
   * ```ts
   * const { text, timing } = await llm.chat('What does ionizing radiation do to DNA?', { maxTokens: 120 }).result();
   * const seen = llm.chat([{ text: 'How many nuclei?' }, { image: 'data/A01.png' }]);
   * ```
   */
  chat(prompt: string | readonly Part[] | readonly Message[], options?: AskOptions): Answer;
  /** Text that goes on from a prompt. */
  complete(prompt: string, options?: AskOptions): Answer;
  /**
   * One vector per text.
   *
   * @example
   * ```ts
   * const [first, second] = await embedder.embed(['DNA repair', 'double strand break']).result();
   * ```
   */
  embed(input: string | readonly string[], options?: ReplyOptions): Answer<number[][]>;
  /** Tensors in, tensors out: Open Inference Protocol v2. */
  infer(inputs: readonly TensorInput[], options?: InferOptions): Answer<Tensor[], Tensor[]>;
  /**
   * A method of a service of one's own. Where the service publishes JSON Schemas, input and output are checked by them;
   * for types, give a definition to `session.services.get()`.
   *
   * The answer rejects with METHOD_NOT_FOUND, INVALID_DESCRIPTION (input) or INVALID_RESULT (output).
   */
  call(method: string, input: unknown, options?: MethodOptions): Answer<unknown>;
  /** A plain HTTP request to it; `path` begins with a slash. */
  rest(path: string, options?: RestOptions): Answer<RestReply>;
  /**
   * Asks it for each row of a list or of a file (JSON Lines, or lines of text in a `.txt`), as one thing that runs on
   * without this program. The same call again does only what is missing.
   *
   * @example
   * ```ts
   * const batch = await llm.map('prompts.jsonl', { out: 'answers.jsonl', key: 'id', maxTokens: 200 });
   * ```
   */
  map(input: MapInput, options?: BatchOptions): Promise<Batch>;
  /** Another number of instances, or between how many. Those too many finish what they have. */
  scale(instances: ScaleInput, options?: CallOptions): Promise<void>;
  /** The instance (default: all) takes nothing new and stops when what it has is answered. */
  drain(options?: InstanceOptions): Promise<void>;
  /** Starts the instance anew (default: one after the other). */
  restart(options?: InstanceOptions): Promise<void>;
  /** Requests over the last time, oldest first; times in milliseconds. */
  statistics(options?: StatisticsOptions): Promise<ServiceStatistics>;
  /** Output of one instance (default the first); by default `stderr`, where servers write. */
  log(options?: LogOptions & { readonly instance?: number | undefined }): Promise<LogChunk>;
  /** Probes every instance now. */
  probe(options?: CallOptions): Promise<void>;
  /** Stops it; an attached service is only let go. */
  stop(options?: CallOptions): Promise<void>;
}

/** What callers of any defined service can do. */
interface Caller {
  /** Name or id of the service that is called. */
  readonly name: string;
  /** Its handle. */
  service(options?: CallOptions): Promise<Service>;
  /** Resolves when it can be called. */
  ready(options?: CallOptions): Promise<void>;
}

/** Calls a service of one method, with the types of its definition. */
export interface SingleCaller<M extends MethodDefinitions[string]> extends Caller {
  call(input: MethodInput<M>, options?: Omit<MethodOptions, 'stream'>): Answer<MethodOutput<M>, MethodChunk<M>>;
}

/** Calls a service of several methods, with the types of its definition. */
export interface MethodsCaller<M extends MethodDefinitions> extends Caller {
  call<K extends keyof M & string>(
    method: K,
    input: MethodInput<M[K]>,
    options?: Omit<MethodOptions, 'stream'>,
  ): Answer<MethodOutput<M[K]>, MethodChunk<M[K]>>;
}

/** The caller of a service of one's own: types and checks follow from its definition. */
export type ServiceCaller<S extends DefinedService> =
  S extends DefinedService<infer M, infer Single>
    ? Single extends true
      ? SingleCaller<M['call']>
      : MethodsCaller<M>
    : never;

/** A service description in which a handle may stand for the pilot's id. */
export type ServiceInput = Omit<ServiceDescription, 'pilot'> & { readonly pilot?: string | Pilot | undefined };

/** What would be run, and what a look beforehand has found. */
export interface ServicePreview {
  readonly sentence: string;
  readonly command: readonly string[];
  readonly findings: readonly { readonly ok: boolean; readonly text: string; readonly remedy: string | null }[];
}

/** `session.services` */
export interface Services {
  templates(options?: CallOptions): Promise<TemplateReport[]>;
  /** Always a new one: of the template named, or, where the description has a `command`, under the name given. */
  start(what: string, description?: ServiceInput, options?: CallOptions): Promise<Service>;
  /** The live one of that name, else a new one; the name is also the template where none is given. */
  ensure(name: string, description?: ServiceInput, options?: CallOptions): Promise<Service>;
  /** What `start` would run, and whether weights, memory of the GPUs and context fit. Starts nothing. */
  preview(what: string, description?: ServiceInput, options?: CallOptions): Promise<ServicePreview>;
  /** Checks a server that somebody else started and keeps it as a service; stopping it only lets it go. */
  attach(description: AttachDescription, options?: CallOptions): Promise<Service>;
  /** Which API answers at an address, with which models. Keeps nothing. */
  detect(description: AttachDescription, options?: CallOptions): Promise<Detection>;
  get(ref: string, options?: CallOptions): Promise<Service>;
  /**
   * The caller of a service of one's own, with its types; there at once.
   *
   * @param service - which running service; default: the one of the definition's name
   * @example
   * ```ts
   * const { ec50 } = await session.services.get(doseResponse).call({ dose, response }).result();
   * ```
   */
  get<S extends DefinedService>(
    definition: S,
    options?: { readonly service?: string | Service | undefined },
  ): ServiceCaller<S>;
  list(options?: CallOptions & { readonly all?: boolean }): Promise<Service[]>;
}
