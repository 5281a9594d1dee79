import { PilothouseError } from '../errors/index.js';
import { issuePath, type SchemaIssue, type StandardSchema } from '../functions/standard-schema.js';
import type { DefinedService, MethodDefinition } from './types.js';

/** A value, or the promise of one where a schema takes its time. */
export type Maybe<T> = T | Promise<T>;

/** The method of that name, or METHOD_NOT_FOUND with those that there are. */
export function methodOf(service: DefinedService, name: string): MethodDefinition {
  const method = Object.hasOwn(service.methods, name) ? service.methods[name] : undefined;
  if (method !== undefined) return method;
  throw methodNotFound(service.name, name, Object.keys(service.methods));
}

/** METHOD_NOT_FOUND, with the methods that there are. */
export function methodNotFound(service: string, name: string, known: readonly string[]): PilothouseError {
  return new PilothouseError('METHOD_NOT_FOUND', `The service ${service} has no method "${name}".`, {
    hint: `Call one of: ${known.join(', ')}.`,
  });
}

/** Checks what goes into a method; throws INVALID_DESCRIPTION with the field. */
export function checkInput(service: DefinedService, method: string, value: unknown): Maybe<unknown> {
  return checked(methodOf(service, method).input, value, (issue) => inputRefused(service.name, method, issue));
}

/** Checks what comes out of a method; throws INVALID_RESULT with the field. */
export function checkOutput(service: DefinedService, method: string, value: unknown): Maybe<unknown> {
  return checked(methodOf(service, method).output, value, (issue) =>
    resultRefused(service.name, method, 'output', issue),
  );
}

/** Checks one piece of an answer; throws INVALID_RESULT with the field. */
export function checkChunk(service: DefinedService, method: string, value: unknown): Maybe<unknown> {
  const { chunk } = methodOf(service, method);
  if (chunk === undefined) return value;
  return checked(chunk, value, (issue) => resultRefused(service.name, method, 'chunk', issue));
}

/** INVALID_DESCRIPTION for what a schema refuses in an input. */
export function inputRefused(service: string, method: string, issue: SchemaIssue): PilothouseError {
  const field = fieldOf('input', issue);
  return new PilothouseError('INVALID_DESCRIPTION', `${service}.${method}, ${field}: ${issue.message}`, {
    field,
    hint: `Correct what is given to ${service}.${method}.`,
  });
}

/** INVALID_RESULT for what a schema refuses in an answer. */
export function resultRefused(
  service: string,
  method: string,
  role: 'output' | 'chunk',
  issue: SchemaIssue,
): PilothouseError {
  const field = fieldOf(role, issue);
  return new PilothouseError(
    'INVALID_RESULT',
    `${service}.${method} gave something else than its ${role} schema says, at ${field}: ${issue.message}`,
    { field, hint: 'Correct the handler or the schema.' },
  );
}

function checked(
  schema: StandardSchema,
  value: unknown,
  refuse: (issue: SchemaIssue) => PilothouseError,
): Maybe<unknown> {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) return result.then((later) => accepted(later, refuse));
  return accepted(result, refuse);
}

function accepted(
  result: { readonly value?: unknown; readonly issues?: readonly SchemaIssue[] | undefined },
  refuse: (issue: SchemaIssue) => PilothouseError,
): unknown {
  if (result.issues === undefined) return result.value;
  throw refuse(result.issues[0] ?? { message: 'not valid' });
}

function fieldOf(role: string, issue: SchemaIssue): string {
  const where = issuePath(issue);
  return where === '' ? role : `${role}.${where}`;
}
