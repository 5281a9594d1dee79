import { PilothouseError } from '@pilothouse/sdk/shared';
import { z } from 'zod';

/** What is read of a row that stands in an output file. */
export interface WrittenRow {
  readonly key: string | number;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Print of the input that it came from; only where rows are told apart by their line. */
  readonly input: string | undefined;
  /** Tokens made for it. */
  readonly tokens: number;
}

const errorSchema = z.object({ code: z.string(), message: z.string() }).nullish();

const rowSchema = z.object({
  key: z.union([z.string(), z.number()]),
  error: errorSchema,
  input: z
    .string()
    .regex(/^[0-9a-f]{8}$/)
    .optional(),
  usage: z.object({ completionTokens: z.number() }).nullish(),
});

const openaiRowSchema = z.object({
  custom_id: z.union([z.string(), z.number()]),
  error: errorSchema,
  response: z.object({ status_code: z.number(), body: z.unknown() }).nullish(),
});

const openaiUsageSchema = z.object({ usage: z.object({ completion_tokens: z.number() }) });

/** A line of an output file; undefined: it is not one of a batch. */
export function parseWritten(text: string, openai: boolean): WrittenRow | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!openai) {
    const row = rowSchema.safeParse(value);
    if (!row.success) return undefined;
    const { key, error, input, usage } = row.data;
    return { key, error: error ?? null, input, tokens: usage?.completionTokens ?? 0 };
  }
  const row = openaiRowSchema.safeParse(value);
  if (!row.success) return undefined;
  const { custom_id: key, error, response } = row.data;
  const usage = openaiUsageSchema.safeParse(response?.body);
  const refused = response !== undefined && response !== null && response.status_code >= 400;
  const failed = refused ? { code: 'REQUEST_REFUSED', message: `the server answered ${response.status_code}` } : null;
  return {
    key,
    error: error ?? failed,
    input: undefined,
    tokens: usage.success ? usage.data.usage.completion_tokens : 0,
  };
}

/** The error for an output file that holds something else than rows of a batch. */
export function notOurs(path: string, line: number): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', `${path}, line ${line}, is not a row that a batch has written`, {
    hint: 'Name another file with "out", or move that one away.',
    field: 'out',
    evidence: `${path}:${line}`,
  });
}
