import { PilothouseError } from '@pilothouse/sdk/shared';

/** Shorter ones keep nothing secret, and would be found in the midst of other words. */
const SHORTEST_KEY = 8;

/**
 * Runs a call to a server, and takes the key out of the error it may end with: some servers repeat the key that they
 * refuse, and what an error says is kept in logs and shown in notebooks.
 */
export async function withoutKey<T>(key: string | null, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof PilothouseError) || key === null || key.length < SHORTEST_KEY) throw error;
    const clean = (text: string): string => text.replaceAll(key, '(key)');
    const { code, message, hint, retryable, ids, field, evidence } = error;
    if (clean(message) === message && clean(evidence ?? '') === (evidence ?? '')) throw error;
    // Without the cause, which holds the same words.
    throw new PilothouseError(code, clean(message), {
      hint,
      retryable,
      ids,
      field,
      evidence: evidence === undefined ? undefined : clean(evidence),
    });
  }
}
