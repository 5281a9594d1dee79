import { type BatchRow, type BatchSpec, type ErrorData, PilothouseError } from '@pilothouse/sdk/shared';
import type { InputRow } from './input.js';

/** What came of one input. */
export type RowOutcome =
  | {
      readonly kind: 'answered';
      readonly text: string | null;
      readonly value: unknown;
      readonly usage: BatchRow['usage'];
      readonly instance: number;
      readonly total: number;
      readonly model: string | null;
    }
  | { readonly kind: 'failed'; readonly error: ErrorData };

/** The line that is appended to the output. */
export function lineOf({ key, print }: InputRow, { id: batch, description }: BatchSpec, outcome: RowOutcome): string {
  const failure = outcome.kind === 'failed' ? { code: outcome.error.code, message: outcome.error.message } : null;
  if (description.op === 'openai') {
    const id = `${batch}:${key}`;
    const response = outcome.kind === 'failed' ? null : { status_code: 200, request_id: id, body: outcome.value };
    return JSON.stringify({ id, custom_id: key, response, error: failure });
  }
  const row: BatchRow =
    outcome.kind === 'failed'
      ? { key, text: null, value: null, error: failure, usage: null, instance: null, total: null, model: null }
      : {
          key,
          text: outcome.text,
          value: outcome.value ?? null,
          error: null,
          usage: outcome.usage,
          instance: outcome.instance,
          total: Math.round(outcome.total * 10) / 10,
          model: outcome.model,
        };
  return JSON.stringify(print === undefined ? row : { ...row, input: print });
}

/** Codes that say nothing of the one input: whatever is asked next fails as well. */
const OF_THE_SERVICE: ReadonlySet<string> = new Set([
  'AUTHENTICATION_FAILED',
  'CREDENTIAL_NOT_FOUND',
  'CERTIFICATE_REFUSED',
  'MODEL_NOT_FOUND',
  'METHOD_NOT_FOUND',
  'SERVICE_NOT_FOUND',
  'SERVICE_STOPPED',
  'SERVICE_FAILED',
]);

/** Whether an error ends the batch, and not the row. */
export function endsBatch(error: unknown): error is PilothouseError {
  return error instanceof PilothouseError && OF_THE_SERVICE.has(error.code);
}
