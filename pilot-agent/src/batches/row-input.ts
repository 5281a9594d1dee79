import { type BatchSpec, messageSchema, partSchema, requestSchema, type ServiceRequest } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import type { OpenAiLine } from './openai-line.js';
import { openAiLineSchema } from './openai-line.js';

/** What one line of the input asks. */
export type RowRequest =
  | { readonly kind: 'request'; readonly request: ServiceRequest }
  | { readonly kind: 'openai'; readonly line: OpenAiLine }
  /** It cannot be asked; the row fails with this. */
  | { readonly kind: 'unusable'; readonly message: string };

/** A line as a value: JSON, or the text itself where lines are prompts. `undefined`: it is not JSON. */
export function parseLine(text: string, format: BatchSpec['format']): { value: unknown } | undefined {
  if (format === 'lines') return { value: text };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The value of a field that can be a key; undefined: it has none. */
export function fieldOf(value: unknown, field: string): string | number | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const found: unknown = Object.entries(value).find(([name]) => name === field)?.[1];
  if (typeof found === 'string') return found;
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined;
}

const text = z.string();
const promptSchema = z.object({ prompt: z.union([z.string().min(1), z.array(partSchema).min(1)]) });
const messagesSchema = z.object({ messages: z.array(messageSchema).min(1) });
const textPromptSchema = z.object({ prompt: z.string().min(1) });
const embedSchema = z.object({ input: z.union([z.string(), z.array(z.string()).min(1).max(2048)]) });
const inferSchema = z.looseObject({ inputs: z.array(z.unknown()).min(1), outputs: z.array(z.string()).optional() });
const withInputSchema = z.looseObject({ input: z.unknown() });

/** What a line of the input asks, as the batch's `op` reads it. */
export function requestOf(value: unknown, { op, method }: BatchSpec['description']): RowRequest {
  switch (op ?? 'chat') {
    case 'chat':
      return chat(value);
    case 'complete': {
      const prompt = text.safeParse(value).data ?? textPromptSchema.safeParse(value).data?.prompt;
      return prompt === undefined ? unusable('needs a text, or "prompt"') : usable({ op: 'complete', prompt });
    }
    case 'embed': {
      const input = text.safeParse(value).data ?? embedSchema.safeParse(value).data?.input;
      if (input === undefined) return unusable('needs a text, or "input": a text or a list of texts');
      return usable({ op: 'embed', input: typeof input === 'string' ? [input] : input });
    }
    case 'infer': {
      const found = inferSchema.safeParse(value);
      if (!found.success) return unusable('needs "inputs", a list of tensors');
      const { inputs, outputs } = found.data;
      return usable({ op: 'infer', inputs, ...(outputs === undefined ? {} : { outputs }) });
    }
    case 'call': {
      const found = withInputSchema.safeParse(value);
      const input = found.success && 'input' in found.data ? found.data.input : value;
      return usable({ op: 'call', method, input });
    }
    case 'openai': {
      const line = openAiLineSchema.safeParse(value);
      if (!line.success) return unusable(`is no line of OpenAI's batch format: ${wordsOf(line.error)}`);
      return { kind: 'openai', line: line.data };
    }
  }
}

function chat(value: unknown): RowRequest {
  const prompt = text.safeParse(value).data ?? promptSchema.safeParse(value).data?.prompt;
  if (prompt !== undefined) return usable({ op: 'chat', messages: [{ role: 'user', content: prompt }] });
  const found = messagesSchema.safeParse(value);
  return found.success
    ? usable({ op: 'chat', messages: found.data.messages })
    : unusable('needs a text, "prompt", or "messages"');
}

function usable(request: unknown): RowRequest {
  const parsed = requestSchema.safeParse(request);
  return parsed.success ? { kind: 'request', request: parsed.data } : unusable(wordsOf(parsed.error));
}

function unusable(message: string): RowRequest {
  return { kind: 'unusable', message };
}

function wordsOf(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? 'cannot be asked' : `${issue.path.join('.') || 'it'} ${issue.message}`;
}
