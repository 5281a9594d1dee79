import { PilothouseError } from '@pilothouse/sdk/internal';
import { z } from 'zod';
import type { ApiAddress } from './types.js';

/** Bytes of a reply that are kept as evidence. */
const EVIDENCE = 2_000;

/**
 * The error object of OpenAI-compatible servers. They agree on little more than `message`: llama-server adds numbers,
 * vLLM a type, FastAPI servers send `detail`.
 */
const errorObjectSchema = z.looseObject({
  message: z.string().nullish(),
  type: z.string().nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
  n_prompt_tokens: z.number().optional(),
  n_ctx: z.number().optional(),
});
export const errorBodySchema = z.looseObject({
  error: z.union([errorObjectSchema, z.string()]).optional(),
  detail: z.unknown().optional(),
  message: z.string().optional(),
});

interface ServerError {
  readonly message: string;
  /** Type and code, whichever the server sends. */
  readonly type: string;
  readonly promptTokens: number | undefined;
  readonly contextTokens: number | undefined;
}

/** Turns what a server said instead of an answer into the one error that says what to do. */
export function serverError(address: ApiAddress, status: number, body: string): PilothouseError {
  const said = parse(body);
  const evidence = body.slice(0, EVIDENCE) || undefined;
  const { name } = address;
  if (isContextExceeded(said)) return contextExceeded(name, said, evidence);
  if (status === 401 || status === 403) return authenticationFailed(address, evidence);
  if (status === 503) {
    return new PilothouseError('SERVICE_NOT_READY', `${name} is not ready: ${said.message || 'it answered 503'}`, {
      hint: 'Ask again in a moment.',
      evidence,
    });
  }
  if (status === 429) {
    return new PilothouseError(
      'QUEUE_FULL',
      `${name} takes no more requests now: ${said.message || 'it answered 429'}`,
      {
        hint: 'Ask again later, or ask fewer at a time.',
        evidence,
      },
    );
  }
  if (status === 404 && /model/i.test(said.message)) {
    return new PilothouseError('MODEL_NOT_FOUND', `${name} does not have that model: ${said.message}`, {
      hint: 'Name one of the models that it lists.',
      evidence,
    });
  }
  if (status === 404 || status === 405) {
    return new PilothouseError('API_NOT_RECOGNISED', `${name} has no chat API (it answered ${status})`, {
      hint: 'Check that its URL ends in /v1 and that the server is OpenAI-compatible.',
      evidence,
    });
  }
  if (status >= 300 && status < 400) {
    return new PilothouseError('API_NOT_RECOGNISED', `${name} sends the request elsewhere (${status})`, {
      hint: 'Give the address that it redirects to.',
      evidence,
    });
  }
  const refused = status >= 400 && status < 500;
  return new PilothouseError(
    'BACKEND_FAILED',
    `${name} ${refused ? 'refused the request' : 'failed'} (${status}): ${said.message || 'no reason given'}`,
    {
      hint: refused ? 'Change the request as the server says.' : 'See the log of the service.',
      retryable: !refused,
      evidence,
    },
  );
}

export function authenticationFailed(address: ApiAddress, evidence?: string): PilothouseError {
  const { name, credential } = address;
  const message = credential
    ? `${name} does not accept the key of the credential "${credential}"`
    : address.key === null
      ? `${name} asks for a key, and none was given`
      : `${name} does not accept the key it was given`;
  return new PilothouseError('AUTHENTICATION_FAILED', message, {
    hint: credential
      ? `Store the right key: pilothouse credentials add ${credential}`
      : 'Store its key with pilothouse credentials add NAME, and attach it with that credential.',
    evidence,
  });
}

function isContextExceeded(said: ServerError): boolean {
  return (
    /exceed_context_size_error|context_length_exceeded/.test(said.type) ||
    /maximum context length|exceeds? the available context size|context window/i.test(said.message)
  );
}

function contextExceeded(name: string, said: ServerError, evidence: string | undefined): PilothouseError {
  const numbers =
    said.promptTokens !== undefined && said.contextTokens !== undefined
      ? `the prompt has ${said.promptTokens} tokens, and ${name} takes ${said.contextTokens}`
      : `the prompt is longer than ${name} takes: ${said.message}`;
  return new PilothouseError('CONTEXT_EXCEEDED', numbers, {
    hint: 'Shorten the prompt, or start the service with a larger context.',
    evidence,
  });
}

function parse(body: string): ServerError {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // Not JSON: a proxy's page, or nothing. What can be said is the text itself.
    return { message: body.slice(0, 200).trim(), type: '', promptTokens: undefined, contextTokens: undefined };
  }
  const parsed = errorBodySchema.safeParse(json);
  if (!parsed.success) return { message: '', type: '', promptTokens: undefined, contextTokens: undefined };
  const { error, detail, message } = parsed.data;
  if (typeof error === 'string') return { message: error, type: '', promptTokens: undefined, contextTokens: undefined };
  const fallback =
    message ?? (typeof detail === 'string' ? detail : detail === undefined ? '' : JSON.stringify(detail));
  return {
    message: error?.message ?? fallback,
    type: `${error?.type ?? ''} ${error?.code ?? ''}`,
    promptTokens: error?.n_prompt_tokens,
    contextTokens: error?.n_ctx,
  };
}
