import { PilothouseError, type ResolvedAttachDescription } from '@pilothouse/sdk/internal';
import { authenticationFailed } from './openai-errors.js';
import type { ApiAddress, ChatApi } from './types.js';

/** What is known of a server that was checked. */
export interface Checked {
  /** Base URL of its API, as requests use it. */
  readonly base: string;
  /** Model to name in requests. */
  readonly model: string | null;
  /** It answers without a key. */
  readonly open: boolean;
  /** Round trip of listing its models, in milliseconds. */
  readonly latency: number;
}

/**
 * Checks a server that runs already: that it is there, which API it speaks, whether it takes the key, and whether it
 * asks for one at all. Lists of models come without a key from some servers, so the key is checked with a question of
 * one token.
 *
 * @param key - secret of the description's credential; null for none
 * @throws PilothouseError SERVICE_UNREACHABLE, API_NOT_RECOGNISED, AUTHENTICATION_FAILED, UNAUTHENTICATED_SERVICE, or
 *   what the server says
 */
export async function checkServer(
  api: ChatApi,
  description: ResolvedAttachDescription,
  key: string | null,
  signal: AbortSignal,
): Promise<Checked> {
  refuseSecrets(description.url);
  const name = description.name ?? 'the server';
  const credential = description.credential ?? null;
  const found = await findApi(api, description, (base) => ({ base, key, name, credential }), signal);
  const model = description.model ?? found.models[0] ?? null;
  const open = await answers(api, { base: found.base, key: null, name }, model, signal);
  if (open && !description.allowUnauthenticated) {
    throw new PilothouseError('UNAUTHENTICATED_SERVICE', `${name} at ${found.base} answers without a key`, {
      hint: 'Start it with a key (llama-server: --api-key-file), or allow a server without a key: everybody who reaches its port can use it then.',
      field: 'allowUnauthenticated',
    });
  }
  if (!open) {
    const address = { base: found.base, key, name, credential };
    if (key === null || !(await answers(api, address, model, signal))) throw authenticationFailed(address);
  }
  return { base: found.base, model, open, latency: found.latency };
}

/** A URL is shown and logged, so no secret may stand in it. */
function refuseSecrets(url: string): void {
  const { username, password, search } = new URL(url);
  if (username === '' && password === '' && search === '') return;
  throw new PilothouseError('INVALID_DESCRIPTION', 'the URL carries a name, a password or parameters', {
    hint: 'Store the secret with pilothouse credentials add NAME, and give the URL without it.',
    field: 'url',
  });
}

/** Base URLs that a given one can mean, the likeliest first. */
export function candidates(url: string): string[] {
  const base = url.replace(/\/+$/, '').replace(/\/(chat\/completions|models)$/, '');
  return /\/v\d+[a-z0-9]*$/.test(base) ? [base] : [`${base}/v1`, base];
}

async function findApi(
  api: ChatApi,
  description: ResolvedAttachDescription,
  address: (base: string) => ApiAddress,
  signal: AbortSignal,
): Promise<{ base: string; models: string[]; latency: number }> {
  const seen: string[] = [];
  for (const base of candidates(description.url)) {
    const started = performance.now();
    const elapsed = () => performance.now() - started;
    try {
      const models = await api.models(address(base), signal);
      return { base, models, latency: elapsed() };
    } catch (error) {
      if (!(error instanceof PilothouseError)) throw error;
      if (error.code === 'API_NOT_RECOGNISED') {
        seen.push(error.message);
        continue;
      }
      // Some servers cannot list their models; with a model named, one question tells as much.
      if (error.code === 'BACKEND_FAILED' && description.model !== undefined) {
        return { base, models: [], latency: elapsed() };
      }
      throw error;
    }
  }
  throw new PilothouseError('API_NOT_RECOGNISED', `${description.url} is not an OpenAI-compatible API`, {
    hint: 'Give the base URL of the API, ending in /v1; see what the server documents.',
    field: 'url',
    evidence: seen.join('\n'),
  });
}

/** Whether a question of one token is answered; false when the key is refused. */
async function answers(api: ChatApi, address: ApiAddress, model: string | null, signal: AbortSignal): Promise<boolean> {
  try {
    await api.chat({
      address,
      model,
      messages: [{ role: 'user', content: 'Hi' }],
      maxTokens: 1,
      signal,
      onStart: () => undefined,
      onText: () => undefined,
    });
    return true;
  } catch (error) {
    if (error instanceof PilothouseError && error.code === 'AUTHENTICATION_FAILED') return false;
    throw error;
  }
}
