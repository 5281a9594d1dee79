import { type RequestOptions, requestSchema, type ServiceRequestInput } from '@pilothouse/sdk/shared';
import type { Adapter, Outcome, Target } from '../../src/types.js';

/** What came of asking: the outcome, and every piece in order. */
export interface Asked extends Outcome {
  readonly text: string;
  readonly data: readonly unknown[];
  readonly started: boolean;
}

/** Asks by an adapter, and gathers what comes. */
export async function ask(
  adapter: Adapter,
  target: Target,
  request: ServiceRequestInput,
  options: RequestOptions = {},
  signal: AbortSignal = AbortSignal.timeout(30_000),
): Promise<Asked> {
  const texts: string[] = [];
  const data: unknown[] = [];
  let started = false;
  const outcome = await adapter.ask({
    target,
    request: requestSchema.parse(request),
    options,
    signal,
    onStart: () => {
      started = true;
    },
    onChunk: (text, piece) => {
      if (piece === undefined) texts.push(text);
      else data.push(piece);
    },
  });
  return { ...outcome, text: texts.join(''), data, started };
}
