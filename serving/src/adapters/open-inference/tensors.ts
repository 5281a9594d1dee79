import { PilothouseError, type Tensor, tensorSchema } from '@pilothouse/sdk/shared';
import { z } from 'zod';

/**
 * A tensor as servers send it over REST: the same, with parameters and what else they add. Some nest `data` by the
 * shape; it is flat in ours, which is what the protocol asks for.
 */
const sentSchema = z.looseObject({
  name: z.string(),
  shape: z.array(z.int()),
  datatype: tensorSchema.shape.datatype,
  data: z.array(z.unknown()),
});

/** An answer to `infer`, or one event of a stream of them. */
export const inferenceSchema = z.looseObject({
  model_name: z.string().nullish(),
  model_version: z.string().nullish(),
  outputs: z.array(sentSchema),
});

/** Tensors in our shape: only what the schema has, data flat. */
export function readTensors(outputs: z.infer<typeof inferenceSchema>['outputs']): Tensor[] {
  return outputs.map(({ name, shape, datatype, data }) => ({ name, shape, datatype, data: flatten(data) }));
}

function flatten(data: readonly unknown[]): Tensor['data'] {
  const flat: Tensor['data'] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const inner of value) visit(inner);
    else if (typeof value === 'string' || typeof value === 'boolean') flat.push(value);
    // JSON has no NaN; servers write null for it.
    else if (typeof value === 'number' || value === null) flat.push(jsonNumber(value ?? Number.NaN));
    else flat.push(JSON.stringify(value));
  };
  visit(data);
  return flat;
}

/** A number as JSON can hold it: what is not finite becomes its name, `"NaN"`, `"Infinity"`. */
export function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/**
 * Data must fill its shape: servers answer 500 or worse where it does not.
 *
 * @throws PilothouseError UNSUPPORTED_FORMAT
 */
export function checkTensors(inputs: readonly Tensor[]): void {
  for (const { name, shape, data } of inputs) {
    const wanted = shape.reduce((product, length) => product * length, 1);
    if (wanted === data.length) continue;
    throw new PilothouseError(
      'UNSUPPORTED_FORMAT',
      `the tensor "${name}" has ${data.length} values, and its shape [${shape.join(', ')}] takes ${wanted}`,
      { hint: 'Give the values flat, in row-major order, as many as the shape says.', field: 'request.inputs' },
    );
  }
}
