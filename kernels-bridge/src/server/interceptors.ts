import { ORPCError } from '@orpc/server';
import type { StandardHandlerOptions } from '@orpc/server/standard';
import type { PilothouseError } from '@pilothouse/sdk/internal';
import type { Logger } from '../logger.js';
import { toWireError } from './errors.js';
import type { CallContext } from './implementer.js';

/**
 * Makes every error cross as one of ours: those of handlers, of input checks, and those in the middle of a stream.
 *
 * @param refusal - while it gives an error, every call is answered with that
 */
export function errorInterceptors(
  refusal: () => PilothouseError | null,
  log: Logger,
): Required<Pick<StandardHandlerOptions<CallContext>, 'interceptors' | 'clientInterceptors'>> {
  const convert = (error: unknown): ORPCError<string, unknown> => {
    const wire = toWireError(error);
    if (wire.code === 'INTERNAL') log.error('a call failed for a reason that should not be', error);
    return wire;
  };
  return {
    interceptors: [
      async ({ next }) => {
        try {
          return await next();
        } catch (error) {
          throw isConverted(error) ? error : convert(error);
        }
      },
    ],
    clientInterceptors: [
      async ({ next }) => {
        const refused = refusal();
        if (refused !== null) throw toWireError(refused);
        try {
          const output = await next();
          return isStream(output) ? convertErrors(output, convert) : output;
        } catch (error) {
          throw convert(error);
        }
      },
    ],
  };
}

function isConverted(error: unknown): boolean {
  return (
    error instanceof ORPCError && typeof error.data === 'object' && error.data !== null && 'retryable' in error.data
  );
}

function isStream(output: unknown): output is AsyncGenerator<unknown> {
  return typeof output === 'object' && output !== null && Symbol.asyncIterator in output;
}

async function* convertErrors(
  stream: AsyncGenerator<unknown>,
  convert: (error: unknown) => Error,
): AsyncGenerator<unknown, void, void> {
  try {
    yield* stream;
  } catch (error) {
    throw convert(error);
  }
}
