import { type Tensor, tensorSchema } from '@pilothouse/sdk/internal';
import { z } from 'zod';

const vectorsSchema = z.array(z.array(z.number()));
const tensorsSchema = z.array(tensorSchema);
const outputsSchema = z.object({ outputs: tensorsSchema });

/** Vectors, where a value is a list of them; else null. */
export function asVectors(value: unknown): number[][] | null {
  const parsed = vectorsSchema.safeParse(value);
  return parsed.success ? parsed.data : null;
}

/** Tensors, where a value is a list of them, alone or as `outputs`; else null. */
export function asTensors(value: unknown): Tensor[] | null {
  const list = tensorsSchema.safeParse(value);
  if (list.success) return list.data;
  const outputs = outputsSchema.safeParse(value);
  return outputs.success ? outputs.data.outputs : null;
}

/** The first `shown` of a list, and how many more there are: `0.12, -0.5, … 382 more`. */
export function shortNumbers(values: readonly (number | string | boolean)[], shown: number): string {
  const texts = values.slice(0, shown).map((value) => (typeof value === 'number' ? shortNumber(value) : String(value)));
  const more = values.length - texts.length;
  return more > 0 ? `${texts.join(', ')}, … ${more.toLocaleString()} more` : texts.join(', ');
}

function shortNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** Most characters of one field. */
const LONGEST = 200;

/** The fields of an object with what they hold, shortened; null for what is no object, or has nothing in it. */
export function fieldsOf(value: unknown): readonly (readonly [string, string])[] | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  if (entries.length === 0) return null;
  return entries.map(([name, item]) => {
    const text = typeof item === 'string' ? item : (JSON.stringify(item) ?? 'undefined');
    return [name, text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text] as const;
  });
}
