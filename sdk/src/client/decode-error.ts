import { ORPCError } from '@orpc/client';
import { errorDataSchema, PilothouseError } from '../errors/index.js';

interface IssueLike {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function issuesOf(data: unknown): readonly IssueLike[] {
  if (typeof data !== 'object' || data === null || !('issues' in data) || !Array.isArray(data.issues)) return [];
  return data.issues.filter(
    (issue: unknown): issue is IssueLike =>
      typeof issue === 'object' && issue !== null && 'path' in issue && Array.isArray(issue.path) && 'message' in issue,
  );
}

/**
 * Turns whatever a call threw into a {@link PilothouseError}. What Pilothouse itself reports arrives whole, as error
 * data; the rest is what the RPC layer says when a call never reached a handler.
 */
export function decodeError(error: unknown): PilothouseError {
  if (error instanceof PilothouseError) return error;
  if (error instanceof ORPCError) {
    const known = errorDataSchema.safeParse(error.data);
    if (known.success) return PilothouseError.from(known.data, error);
    if (error.code === 'BAD_REQUEST') {
      const [issue] = issuesOf(error.data);
      const field = issue?.path.map(String).join('.');
      return new PilothouseError('INVALID_DESCRIPTION', issue ? `${field}: ${issue.message}` : error.message, {
        field,
        hint: field ? `Correct "${field}" and try again.` : undefined,
        cause: error,
      });
    }
    if (error.status === 404 || error.status === 405) {
      return new PilothouseError('UNKNOWN_METHOD', 'The running Pilothouse does not know this call.', {
        hint: 'Restart it with "pilothouse bridge stop"; it starts again by itself, in the version installed.',
        cause: error,
      });
    }
    return new PilothouseError('INTERNAL', error.message, { cause: error });
  }
  return new PilothouseError('INTERNAL', error instanceof Error ? error.message : String(error), { cause: error });
}
