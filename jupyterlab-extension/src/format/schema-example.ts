type Json = Readonly<Record<string, unknown>>;

/** How deep a schema is followed; deeper parts of an example stay empty. */
const DEPTH = 6;

/**
 * A value that a JSON Schema takes, to begin with: its default or example where it has one, else the plainest value of
 * its type. Optional fields without a default are left out.
 */
export function exampleOf(schema: Json): unknown {
  return example(schema, schema, DEPTH);
}

function example(node: Json, root: Json, depth: number): unknown {
  const schema = follow(node, root);
  if ('default' in schema) return schema.default;
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return schema.enum[0];
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const choices = schema[key];
    const first = Array.isArray(choices) ? choices.find(isJson) : undefined;
    if (first !== undefined && depth > 0) return example(first, root, depth - 1);
  }
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === 'string') return '';
  if (type === 'number' || type === 'integer') return atLeast(schema);
  if (type === 'boolean') return false;
  if (type === 'null') return null;
  if (type === 'array') {
    const items = isJson(schema.items) && depth > 0 ? example(schema.items, root, depth - 1) : null;
    return Array.from({ length: Number(schema.minItems ?? 0) }, () => items);
  }
  const properties = isJson(schema.properties) ? schema.properties : {};
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return Object.fromEntries(
    Object.entries(properties)
      .filter((entry): entry is [string, Json] => isJson(entry[1]))
      .filter(([name, property]) => depth > 0 && (required.has(name) || 'default' in property))
      .map(([name, property]) => [name, example(property, root, depth - 1)]),
  );
}

function atLeast({ minimum, exclusiveMinimum }: Json): number {
  if (typeof minimum === 'number') return minimum;
  return typeof exclusiveMinimum === 'number' ? Math.floor(exclusiveMinimum) + 1 : 0;
}

/** What a local reference stands for. */
function follow(node: Json, root: Json): Json {
  if (typeof node.$ref !== 'string' || !node.$ref.startsWith('#/')) return node;
  let place: unknown = root;
  for (const part of node.$ref.slice(2).split('/')) place = isJson(place) ? place[part] : undefined;
  return isJson(place) ? place : {};
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
