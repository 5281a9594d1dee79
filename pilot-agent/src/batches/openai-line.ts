import { z } from 'zod';

/**
 * A line of OpenAI's batch format.
 *
 * @see https://platform.openai.com/docs/guides/batch
 */
export const openAiLineSchema = z.object({
  custom_id: z.union([z.string(), z.number()]),
  method: z.literal('POST').default('POST'),
  url: z.enum(['/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/responses']),
  body: z.record(z.string(), z.unknown()),
});
export type OpenAiLine = z.infer<typeof openAiLineSchema>;

const modelSchema = z.object({ model: z.string() });
const usageSchema = z.object({
  usage: z.object({ prompt_tokens: z.number().default(0), completion_tokens: z.number().default(0) }),
});

/** The body as it is sent: to the model that it names where the server has it, else to the service's own. */
export function bodyFor({ body }: OpenAiLine, own: string | null, listed: readonly string[]): Record<string, unknown> {
  const named = modelSchema.safeParse(body);
  if (named.success && (listed.includes(named.data.model) || (own === null && listed.length === 0))) return body;
  const model = own ?? listed[0];
  // Token by token would be no answer that can stand in a line.
  return { ...body, ...(model === undefined ? {} : { model }), stream: false };
}

/** Tokens of an answer in OpenAI's form; null: it does not say. */
export function usageOf(body: unknown): { promptTokens: number; completionTokens: number } | null {
  const found = usageSchema.safeParse(body);
  if (!found.success) return null;
  return { promptTokens: found.data.usage.prompt_tokens, completionTokens: found.data.usage.completion_tokens };
}
