import type { ServerResponse } from 'node:http';
import { type ErrorCode, PilothouseError, toErrorData } from '@pilothouse/sdk/shared';

/** HTTP status and kind of error, as clients of OpenAI's API know them. */
const STATUS: Readonly<Partial<Record<ErrorCode, readonly [number, string]>>> = {
  INVALID_DESCRIPTION: [400, 'invalid_request_error'],
  UNSUPPORTED_REQUEST: [400, 'invalid_request_error'],
  UNSUPPORTED_FORMAT: [400, 'invalid_request_error'],
  CONTEXT_EXCEEDED: [400, 'invalid_request_error'],
  UNSAFE_PATH: [403, 'permission_error'],
  PERMISSION_DENIED: [401, 'authentication_error'],
  DATA_NOT_FOUND: [404, 'invalid_request_error'],
  SERVICE_NOT_FOUND: [404, 'invalid_request_error'],
  UNKNOWN_METHOD: [404, 'invalid_request_error'],
  FILE_TOO_LARGE: [413, 'invalid_request_error'],
  QUEUE_FULL: [503, 'overloaded_error'],
  SERVICE_NOT_READY: [503, 'server_error'],
  SERVICE_STOPPED: [503, 'server_error'],
  SERVICE_FAILED: [503, 'server_error'],
  BACKEND_TIMEOUT: [504, 'server_error'],
  TIMEOUT: [504, 'server_error'],
  SERVICE_UNREACHABLE: [502, 'server_error'],
  BACKEND_FAILED: [502, 'server_error'],
  STREAM_CUT: [502, 'server_error'],
  AUTHENTICATION_FAILED: [502, 'server_error'],
  CERTIFICATE_REFUSED: [502, 'server_error'],
  CREDENTIAL_NOT_FOUND: [502, 'server_error'],
};

/** Codes that OpenAI's own server has for the same thing, which clients compare with. */
const CODES: Readonly<Partial<Record<ErrorCode, string>>> = {
  SERVICE_NOT_FOUND: 'model_not_found',
  CONTEXT_EXCEEDED: 'context_length_exceeded',
  PERMISSION_DENIED: 'invalid_api_key',
};

/** An error in the form of OpenAI's API; what Pilothouse knows beyond it stands under `pilothouse`. */
export function errorBody(error: unknown): { readonly status: number; readonly body: object } {
  const data = toErrorData(error);
  const [status, type] = STATUS[data.code] ?? [500, 'server_error'];
  const evidence = data.evidence === undefined ? '' : ` (${data.evidence})`;
  const message = `${data.message}${evidence}${data.hint === undefined ? '' : `. ${data.hint}`}`;
  const param = data.field ?? (data.code === 'SERVICE_NOT_FOUND' ? 'model' : null);
  return {
    status,
    body: { error: { message, type, param, code: CODES[data.code] ?? data.code.toLowerCase(), pilothouse: data } },
  };
}

/** Answers with an error; nothing of an answer may have been sent before. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, body } = errorBody(error);
  const retryAfter = error instanceof PilothouseError ? error.retryAfter : undefined;
  // OpenAI's clients ask again by themselves after 408, 409, 429 and 5xx; here that was done where it can help.
  const again = error instanceof PilothouseError && error.code === 'QUEUE_FULL';
  sendJson(response, status, body, [
    ...(retryAfter === undefined ? [] : ['retry-after', String(retryAfter)]),
    ...(status === 401 ? ['www-authenticate', 'Bearer'] : []),
    'x-should-retry',
    String(again),
  ]);
}

export function sendJson(response: ServerResponse, status: number, value: object, headers: string[] = []): void {
  const text = JSON.stringify(value);
  response.writeHead(status, [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(text)),
    ...headers,
  ]);
  response.end(text);
}

/** An error inside a stream of events that has begun, as OpenAI's clients take it: they throw it where they read. */
export function errorEvent(error: unknown): string {
  return `\n\ndata: ${JSON.stringify(errorBody(error).body)}\n\n`;
}
