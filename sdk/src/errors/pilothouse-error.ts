import { ERROR_CODES, type ErrorCode, type ErrorData } from './codes.js';

const MARKER = Symbol.for('pilothouse.error');

/** What an error may carry beside code and message. */
export interface PilothouseErrorOptions {
  readonly hint?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly ids?: Readonly<Record<string, string>> | undefined;
  readonly field?: string | undefined;
  readonly retryAfter?: number | undefined;
  readonly evidence?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The one error that Pilothouse throws. Programs switch on `code`; people read `hint` first, then `message`.
 *
 * `instanceof` works across several copies of the SDK in one process or page, by a global marker.
 *
 * @example
 * ```ts
 * const error = new PilothouseError('SERVICE_NOT_FOUND', 'there is no live service "vep"', { hint: 'Start it first.' });
 * error.code; // 'SERVICE_NOT_FOUND'
 * ```
 */
export class PilothouseError extends Error {
  readonly code: ErrorCode;
  /** What to do about it, one sentence. */
  readonly hint: string | undefined;
  /** Whether the same call can succeed later without a change by the user. */
  readonly retryable: boolean;
  /** Ids of the things concerned, by kind. */
  readonly ids: Readonly<Record<string, string>>;
  /** Path of the field concerned, for INVALID_DESCRIPTION. */
  readonly field: string | undefined;
  /** Seconds after which it is worth trying again, for QUEUE_FULL. */
  readonly retryAfter: number | undefined;
  /** Whatever shows the cause: last lines of stderr, a response body. */
  readonly evidence: string | undefined;

  constructor(code: ErrorCode, message: string, options: PilothouseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PilothouseError';
    this.code = code;
    this.hint = options.hint;
    this.retryable = options.retryable ?? ERROR_CODES[code];
    this.ids = options.ids ?? {};
    this.field = options.field;
    this.retryAfter = options.retryAfter;
    this.evidence = options.evidence;
    Object.defineProperty(this, MARKER, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && MARKER in value;
  }

  /** Rebuilds an error that came over the wire or from a log. */
  static from(data: ErrorData, cause?: unknown): PilothouseError {
    return new PilothouseError(data.code, data.message, { ...data, cause });
  }

  /** The error as plain data: no stack, no cause. */
  toJSON(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ids: { ...this.ids },
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.retryAfter === undefined ? {} : { retryAfter: this.retryAfter }),
      ...(this.evidence === undefined ? {} : { evidence: this.evidence }),
    };
  }
}

/** Any thrown value as error data; what is not a {@link PilothouseError} becomes INTERNAL. */
export function toErrorData(error: unknown): ErrorData {
  if (error instanceof PilothouseError) return error.toJSON();
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', message, retryable: false, ids: {} };
}
