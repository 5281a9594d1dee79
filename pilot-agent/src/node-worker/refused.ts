/** It cannot be called here, and why, with the remedy. */
export class Refused extends Error {
  readonly code: 'FUNCTION_NOT_FOUND' | 'FUNCTION_NOT_SENDABLE' | 'DATA_NOT_FOUND';
  readonly hint: string;

  constructor(code: Refused['code'], message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}
