import { z } from 'zod';
import type { SchemaIssue, StandardSchema } from '../functions/standard-schema.js';
import type { Method } from '../schemas/service-record.js';
import type { DefinedService } from './types.js';

/** A schema as JSON. */
export type JsonSchema = Record<string, unknown>;

/** What a library says of a schema as JSON, where it speaks Standard JSON Schema (https://standardschema.dev/json-schema). */
const describedSchema = z.object({
  jsonSchema: z.object({
    input: z.custom<(options: { target: string }) => JsonSchema>((value) => typeof value === 'function'),
    output: z.custom<(options: { target: string }) => JsonSchema>((value) => typeof value === 'function'),
  }),
});

/**
 * The methods of a service as it publishes them. A schema whose library cannot say itself as JSON Schema, or has parts
 * that JSON Schema lacks, is published as "anything": the service still checks it.
 */
export function methodsOf(service: DefinedService): Method[] {
  return Object.entries(service.methods).map(([name, { input, output, chunk, description = null }]) => ({
    name,
    description,
    input: toJsonSchema(input, 'input'),
    output: toJsonSchema(output, 'output'),
    chunk: chunk === undefined ? null : toJsonSchema(chunk, 'output'),
  }));
}

function toJsonSchema(schema: StandardSchema, side: 'input' | 'output'): JsonSchema {
  const described = describedSchema.safeParse(schema['~standard']);
  if (!described.success) return {};
  try {
    return described.data.jsonSchema[side]({ target: 'draft-2020-12' });
  } catch {
    // A typed array, a transform, a class: nothing that JSON Schema could say.
    return {};
  }
}

/** Checks values by the JSON Schemas that a service publishes: for callers that have no definition of it. */
export interface MethodValidator {
  /** What is wrong with an input; empty: nothing. */
  input(value: unknown): readonly SchemaIssue[];
  output(value: unknown): readonly SchemaIssue[];
  chunk(value: unknown): readonly SchemaIssue[];
}

/** Made once per method, and kept: making it costs more than the checks. */
export function validatorFor(method: Method): MethodValidator {
  return {
    input: checker(method.input),
    output: checker(method.output),
    chunk: checker(method.chunk ?? {}),
  };
}

function checker(schema: JsonSchema): (value: unknown) => readonly SchemaIssue[] {
  let made: z.ZodType | undefined;
  return (value) => {
    made ??= fromJsonSchema(schema);
    return made.safeParse(value).error?.issues ?? [];
  };
}

function fromJsonSchema(schema: JsonSchema): z.ZodType {
  try {
    return z.fromJSONSchema(schema);
  } catch {
    // Says more than zod understands; the service itself has the last word anyway.
    return z.unknown();
  }
}
