import { PilothouseError } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import type { Target } from '../types.js';
import { parseJson } from './http/body.js';

/** Characters of a reply that are kept as evidence. */
const EVIDENCE = 2_000;

/**
 * The error objects of model servers. They agree on little more than a message: llama-server adds numbers, vLLM a type,
 * FastAPI servers send `detail`, Ollama and Open Inference servers a bare string.
 */
const errorObjectSchema = z.looseObject({
  message: z.string().nullish(),
  type: z.string().nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
  n_prompt_tokens: z.number().optional(),
  n_ctx: z.number().optional(),
});
export const errorBodySchema = z.looseObject({
  error: z.union([errorObjectSchema, z.string()]).nullish(),
  detail: z.unknown().optional(),
  message: z.string().optional(),
});

interface Said {
  readonly message: string;
  /** Type and code, whichever the server sends. */
  readonly type: string;
  readonly promptTokens?: number | undefined;
  readonly contextTokens?: number | undefined;
}

/** Who was asked for what, as error sentences name it. */
export interface Asked {
  readonly target: Target;
  /** `chat API`, `infer API` …: what the server does not have where it answers 404. */
  readonly what: string;
  /** What to do where the server does not have it. */
  readonly remedy: string;
}

/** Turns what a server said instead of an answer into the one error that says what to do. */
export function serverError(asked: Asked, status: number, body: string): PilothouseError {
  const { target, what, remedy } = asked;
  const { name } = target;
  const said = parse(body);
  const evidence = body.slice(0, EVIDENCE) || undefined;
  const reason = said.message || `it answered ${status}`;
  if (isContextExceeded(said)) return contextExceeded(name, said, evidence);
  if (status === 401 || status === 403) return authenticationFailed(target, evidence);
  if (status === 503 || (status >= 400 && status < 500 && isNotLoaded(said))) {
    return new PilothouseError('SERVICE_NOT_READY', `${name} is not ready: ${reason}`, {
      hint: 'Ask again in a moment; where its model never loads, see the log of the service.',
      evidence,
    });
  }
  if (status === 429) {
    return new PilothouseError('QUEUE_FULL', `${name} takes no more requests now: ${reason}`, {
      hint: 'Ask again later, or ask fewer at a time.',
      evidence,
    });
  }
  if (
    (status === 404 || status === 400) &&
    /\bmodel\b.*\b(not found|does not exist|unknown|not exist)/i.test(said.message)
  ) {
    return new PilothouseError('MODEL_NOT_FOUND', `${name} does not have that model: ${said.message}`, {
      hint: 'Name one of the models that it lists.',
      evidence,
    });
  }
  if (status === 404 || status === 405) {
    const why = said.message === '' ? '' : `: ${said.message}`;
    return new PilothouseError('API_NOT_RECOGNISED', `${name} has no ${what} (it answered ${status}${why})`, {
      hint: remedy,
      evidence,
    });
  }
  if (status >= 300 && status < 400) {
    return new PilothouseError('API_NOT_RECOGNISED', `${name} sends the request elsewhere (${status})`, {
      hint: 'Give the address that it redirects to.',
      evidence,
    });
  }
  if (status >= 400 && status < 500) {
    return new PilothouseError('REQUEST_REFUSED', `${name} refused the request (${status}): ${reason}`, {
      hint: 'Change the request as the server says.',
      evidence,
    });
  }
  return new PilothouseError('BACKEND_FAILED', `${name} failed (${status}): ${said.message || 'no reason given'}`, {
    hint: 'See the log of the service.',
    evidence,
  });
}

/** The key is wrong, or there is none. */
export function authenticationFailed(target: Target, evidence?: string): PilothouseError {
  const { name, credential } = target;
  const message = credential
    ? `${name} does not accept the key of the credential "${credential}"`
    : target.key === null
      ? `${name} asks for a key, and none was given`
      : `${name} does not accept the key it was given`;
  return new PilothouseError('AUTHENTICATION_FAILED', message, {
    hint: credential
      ? `Store the right key: pilothouse credentials add ${credential}`
      : 'Store its key with pilothouse credentials add NAME, and attach it with that credential.',
    evidence,
  });
}

/** What came is no answer of this API. */
export function unreadable(target: Target, api: string, text: string, cause?: unknown): PilothouseError {
  return new PilothouseError('BACKEND_FAILED', `${target.name} sent something that is no answer`, {
    hint: `Check that the server speaks ${api}.`,
    evidence: text.slice(0, 500),
    cause,
  });
}

function isNotLoaded({ message }: Said): boolean {
  return /\bnot (yet )?(ready|loaded|available)\b|\bloading model\b|\bmodel is loading\b/i.test(message);
}

function isContextExceeded({ type, message }: Said): boolean {
  return (
    /exceed_context_size_error|context_length_exceeded/.test(type) ||
    /maximum context length|exceeds? the available context size|context window/i.test(message)
  );
}

function contextExceeded(name: string, said: Said, evidence: string | undefined): PilothouseError {
  const numbers =
    said.promptTokens !== undefined && said.contextTokens !== undefined
      ? `the prompt has ${said.promptTokens} tokens, and ${name} takes ${said.contextTokens}`
      : `the prompt is longer than ${name} takes: ${said.message}`;
  return new PilothouseError('CONTEXT_EXCEEDED', numbers, {
    hint: 'Shorten the prompt, or start the service with a larger context.',
    evidence,
  });
}

function parse(body: string): Said {
  const json = parseJson(body);
  // Not JSON: a proxy's page, or nothing. What can be said is the text itself.
  if (json === undefined) return { message: body.slice(0, 200).trim(), type: '' };
  const parsed = errorBodySchema.safeParse(json);
  if (!parsed.success) return { message: '', type: '' };
  const { error, detail, message } = parsed.data;
  if (typeof error === 'string') return { message: error, type: '' };
  const fallback =
    message ?? (typeof detail === 'string' ? detail : detail === undefined ? '' : JSON.stringify(detail));
  return {
    message: error?.message ?? fallback,
    type: `${error?.type ?? ''} ${error?.code ?? ''}`,
    promptTokens: error?.n_prompt_tokens,
    contextTokens: error?.n_ctx,
  };
}
