import type { SchemaIssue } from '../../functions/standard-schema.js';
import type { Method, ServiceRecord } from '../../schemas/service-record.js';
import {
  checkChunk,
  checkInput,
  checkOutput,
  inputRefused,
  type Maybe,
  methodNotFound,
  methodOf,
  resultRefused,
} from '../../service-definition/check.js';
import { type MethodValidator, validatorFor } from '../../service-definition/json-schema.js';
import type { DefinedService } from '../../service-definition/types.js';
import { type Reading, valueReading } from './reading.js';

/** One method: what its input must be, and how its answers are read. */
export interface MethodReading extends Reading<unknown, unknown> {
  /** The input as it is sent; throws INVALID_DESCRIPTION or METHOD_NOT_FOUND. */
  readonly input: (input: unknown) => Maybe<unknown>;
  /** Whether it answers in pieces. */
  readonly streams: boolean;
}

/** A method as its definition says. */
export function definedReading(service: DefinedService, method: string): MethodReading {
  return {
    input: (input) => checkInput(service, method, input),
    result: ({ value }) => checkOutput(service, method, value),
    data: (data) => checkChunk(service, method, data),
    streams: methodOf(service, method).chunk !== undefined,
  };
}

/** A method as the service publishes it; of one that publishes nothing, everything is taken. */
export class PublishedMethods {
  readonly #validators = new Map<string, { readonly method: Method; readonly validator: MethodValidator }>();

  reading({ name: service, methods }: ServiceRecord, name: string): MethodReading {
    if (methods === null) return { ...valueReading, input: (input) => input, streams: false };
    const method = methods.find((one) => one.name === name);
    if (method === undefined) {
      const known = methods.map((one) => one.name);
      const refuse = () => {
        throw methodNotFound(service, name, known);
      };
      return { ...valueReading, input: refuse, streams: false };
    }
    const validator = this.#validatorOf(method);
    return {
      input: (input) => accepted(input, validator.input(input), (issue) => inputRefused(service, name, issue)),
      result: ({ value }) =>
        accepted(value, validator.output(value), (issue) => resultRefused(service, name, 'output', issue)),
      data: (data) => accepted(data, validator.chunk(data), (issue) => resultRefused(service, name, 'chunk', issue)),
      streams: method.chunk !== null,
    };
  }

  /** Records come anew with each change of the service; their methods are most often the same. */
  #validatorOf(method: Method): MethodValidator {
    const known = this.#validators.get(method.name);
    if (known && (known.method === method || JSON.stringify(known.method) === JSON.stringify(method))) {
      return known.validator;
    }
    const validator = validatorFor(method);
    this.#validators.set(method.name, { method, validator });
    return validator;
  }
}

function accepted(value: unknown, issues: readonly SchemaIssue[], refuse: (issue: SchemaIssue) => Error): unknown {
  const [issue] = issues;
  if (issue) throw refuse(issue);
  return value;
}
