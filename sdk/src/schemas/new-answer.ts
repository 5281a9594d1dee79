import { newId } from '../ids/ids.js';
import { type AnswerRecord, type RequestOptions, requestOptionsSchema, type ServiceRequest } from './answer.js';

/** A question as it is asked. */
export interface Asked {
  readonly service: { readonly id: string; readonly name: string };
  readonly request: ServiceRequest;
  readonly options: RequestOptions;
  readonly owner: string;
  readonly retryOf?: string | null | undefined;
}

/** What is known of an answer when its question has just been asked. */
export function newAnswerRecord({ service, request, options, owner, retryOf }: Asked, now: string): AnswerRecord {
  const id = newId('answer');
  return {
    kind: 'answer',
    id,
    name: `${service.name}-${id.slice(-6)}`,
    seq: 0,
    state: 'NEW',
    since: now,
    reason: null,
    contact: { lost: false, since: now },
    error: null,
    times: { NEW: now },
    owner,
    createdAt: now,
    endedAt: null,
    service: { id: service.id, name: service.name },
    instance: null,
    request,
    options: { ...options, timeout: options.timeout ?? requestOptionsSchema.shape.timeout.def.defaultValue },
    text: null,
    chunks: 0,
    finishReason: null,
    usage: null,
    timing: null,
    model: null,
    revision: null,
    value: null,
    attempts: [],
    retryOf: retryOf ?? null,
  };
}
