import { PilothouseError, type ResolvedAttachDescription } from '@pilothouse/sdk/shared';
import type { Target } from '../types.js';

/**
 * A URL is shown and logged, so no secret may stand in it.
 *
 * @throws PilothouseError INVALID_DESCRIPTION
 */
export function refuseSecrets(url: string): void {
  const { username, password, search } = new URL(url);
  if (username === '' && password === '' && search === '') return;
  throw new PilothouseError('INVALID_DESCRIPTION', 'the URL carries a name, a password or parameters', {
    hint: 'Store the secret with pilothouse credentials add NAME, and give the URL without it.',
    field: 'url',
  });
}

/** Base URLs of an OpenAI API that a given one can mean, the likeliest first. */
export function openAiCandidates(url: string): string[] {
  const base = url.replace(/\/+$/, '').replace(/\/(chat\/completions|completions|embeddings|models)$/, '');
  if (/\/v\d+[a-z0-9]*$/.test(base)) return [base];
  // Right below the host is a base only where the slash says so.
  return [`${base}/v1`, new URL(base).pathname === '/' ? `${base}/` : base];
}

/** An address without the paths of known APIs, where the others are looked for. */
export function rootOf(url: string): string {
  return url.replace(/\/+$/, '').replace(/\/(v\d+|api)(\/.*)?$/, '');
}

/** A server as an adapter asks it. */
export function targetAt(base: string, description: ResolvedAttachDescription, key: string | null): Target {
  return {
    endpoint: { url: base, ports: {}, keyFile: null, serverKey: description.serverKey ?? null },
    key,
    name: description.name ?? 'the server',
    credential: description.credential ?? null,
    model: description.model ?? null,
  };
}
