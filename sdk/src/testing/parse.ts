import type { z } from 'zod';
import { PilothouseError } from '../errors/index.js';
import { plainWords } from '../errors/plain-words.js';

/** The value as its schema gives it; INVALID_DESCRIPTION where it does not fit, as the bridge answers. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value, { error: plainWords });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.map(String).join('.') ?? '';
  throw new PilothouseError('INVALID_DESCRIPTION', `${field}: ${issue?.message ?? 'not valid'}`, {
    field,
    hint: `Correct "${field}" and try again.`,
  });
}
