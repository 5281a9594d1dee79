import { plainWords, sentence } from '@pilothouse/sdk/internal';
import type { RJSFSchema } from '@rjsf/utils';
import { z } from 'zod';

/** What is wrong with one field of a form. */
export interface FieldIssue {
  /** Field names from the outside in; empty: the whole form. */
  readonly path: readonly string[];
  readonly message: string;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * JSON Schema (draft 7) of a zod schema, shaped for a form: references are put in place, so that each field keeps its
 * own title, and where a value may be a text or an object (durations), people get the text.
 */
export function formSchema(schema: z.ZodType): RJSFSchema {
  const json = z.toJSONSchema(schema, { io: 'input', target: 'draft-7' });
  const plain: unknown = JSON.parse(JSON.stringify(json));
  if (!isObject(plain)) throw new TypeError('a form needs an object schema');
  const definitions = isObject(plain.definitions) ? plain.definitions : {};
  return shape(plain, definitions);
}

function shape(node: Json, definitions: Json): Json {
  // Examples would turn a plain field into a list to choose from.
  const {
    $ref,
    allOf,
    anyOf,
    definitions: _definitions,
    $schema: _schema,
    id: _id,
    examples: _examples,
    ...own
  } = node;
  const parts: Json[] = [];
  if (typeof $ref === 'string') parts.push(resolve($ref, definitions));
  if (Array.isArray(allOf)) parts.push(...allOf.filter(isObject));
  const text = Array.isArray(anyOf) ? anyOf.filter(isObject).find((part) => part.type === 'string') : undefined;
  if (text !== undefined) parts.push(text);
  else if (anyOf !== undefined) parts.push({ anyOf });
  const base: Json = Object.assign({}, ...parts.map((part) => shape(part, definitions)));
  const merged: Record<string, unknown> = { ...base, ...own };
  for (const key of ['properties']) {
    const properties = merged[key];
    if (!isObject(properties)) continue;
    merged[key] = Object.fromEntries(
      Object.entries(properties).map(([name, value]) => [name, isObject(value) ? shape(value, definitions) : value]),
    );
  }
  return merged;
}

function resolve(reference: string, definitions: Json): Json {
  const found = definitions[reference.replace('#/definitions/', '')];
  return isObject(found) ? found : {};
}

/**
 * A JSON Schema that a service publishes, for a form: what only names the dialect is left out, because the form's
 * validator knows draft 7 alone and the fields are the same in both.
 */
export function pureSchema(schema: Json): Json {
  const { $schema: _schema, $id: _id, ...own } = schema;
  return own;
}

export { isObject as isJsonObject };

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What zod has against a value, as issues of fields. */
export function zodIssues(schema: z.ZodType, value: unknown): FieldIssue[] {
  const result = schema.safeParse(value, { error: plainWords });
  if (result.success) return [];
  return result.error.issues.map((issue) => ({
    path: issue.path.map(String),
    message: sentence(issue.message),
  }));
}
