import { type ErrorData, toErrorData } from '@pilothouse/sdk/internal';

/** A failure the way people read it: what to do, then what happened, the code last. */
export interface Problem {
  readonly remedy: string | null;
  readonly message: string;
  readonly code: string;
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
  return `${problem.remedy === null ? '' : `${sentence(problem.remedy)} `}${problem.message} (${problem.code})`;
}

/** Starts with a capital and ends with a full stop, whoever wrote it. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const upper = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(upper) ? upper : `${upper}.`;
}
