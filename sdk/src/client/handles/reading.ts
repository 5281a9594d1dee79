import { PilothouseError } from '../../errors/index.js';
import { type Tensor, tensorSchema } from '../../schemas/answer.js';
import type { AnswerResult } from '../answer-types.js';
import type { RestReply } from '../service-types.js';

/** How what came back is read: checked, and as the type that callers get. */
export interface Reading<R, D> {
  /** What the answer comes to; throws INVALID_RESULT for what does not fit. */
  readonly result: (answer: AnswerResult) => R | Promise<R>;
  /** A piece that is not text. */
  readonly data: (data: unknown) => D | Promise<D>;
}

/** Everything as it came. */
export const wholeReading: Reading<AnswerResult, unknown> = {
  result: (answer) => answer,
  data: (data) => data,
};

/** The value as it came. */
export const valueReading: Reading<unknown, unknown> = {
  result: ({ value }) => value,
  data: (data) => data,
};

/** One vector per text. */
export const vectorReading: Reading<number[][], unknown> = {
  result: ({ value }) => {
    if (isVectors(value)) return value;
    throw unfit('vectors', value);
  },
  data: (data) => data,
};

export const tensorReading: Reading<Tensor[], Tensor[]> = {
  result: ({ value }) => tensors(value),
  data: tensors,
};

/** What plain HTTP answered. */
export const restReading: Reading<RestReply, unknown> = {
  result: ({ value }) => {
    if (isReply(value)) return value;
    throw unfit('status and body', value);
  },
  data: (data) => data,
};

/** Looked at by hand: a schema would take a second for what fills megabytes. */
function isVectors(value: unknown): value is number[][] {
  return (
    Array.isArray(value) &&
    value.every((vector) => Array.isArray(vector) && vector.every((number) => typeof number === 'number'))
  );
}

const shallowTensorSchema = tensorSchema.omit({ data: true }).loose();

function isTensor(value: unknown): value is Tensor {
  const shape = shallowTensorSchema.safeParse(value);
  return shape.success && Array.isArray(shape.data.data);
}

function tensors(value: unknown): Tensor[] {
  if (Array.isArray(value) && value.every(isTensor)) return value;
  throw unfit('tensors', value);
}

function isReply(value: unknown): value is RestReply {
  return typeof value === 'object' && value !== null && 'status' in value && typeof value.status === 'number';
}

function unfit(wanted: string, value: unknown): PilothouseError {
  return new PilothouseError('INVALID_RESULT', `The service answered with something else than ${wanted}.`, {
    hint: 'Look at what it serves: session.services.detect() tells its API.',
    evidence: JSON.stringify(value)?.slice(0, 500),
  });
}
