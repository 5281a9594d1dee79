import { type ErrorCode, type ErrorData, errorSentence, sentence, toErrorData } from '@pilothouse/sdk/internal';

/** A failure the way people read it: what to do, then what happened, the code last. */
export interface Problem {
  readonly remedy: string | null;
  readonly message: string;
  readonly code: ErrorCode;
  readonly evidence: string | null;
}

/** Any thrown value or error record as a {@link Problem}. */
export function problemOf(error: unknown): Problem {
  return fromData(toErrorData(error));
}

/** An error record as a {@link Problem}. */
export function fromData(data: ErrorData): Problem {
  return {
    remedy: data.hint ?? null,
    message: sentence(data.message),
    code: data.code,
    evidence: data.evidence ?? null,
  };
}

/** One line of it, for notifications and rows. */
export function problemLine(problem: Problem): string {
  const { remedy, message, code } = problem;
  return errorSentence({ message, code, ...(remedy === null ? {} : { hint: remedy }) });
}
