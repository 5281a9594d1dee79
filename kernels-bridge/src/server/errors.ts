import { ORPCError, ValidationError } from '@orpc/server';
import { type ErrorCode, type ErrorData, PilothouseError, plainWords, toErrorData } from '@pilothouse/sdk/internal';
import { z } from 'zod';

// This process checks what users write: its words are for them. (oRPC parses by itself, so only zod's own setting reaches it.)
z.config({ customError: plainWords });

/** HTTP status of the codes that have a fitting one; the others are 409: the call was right, the state was not. */
const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  INVALID_DESCRIPTION: 400,
  INVALID_FRAME: 400,
  PILOT_REFUSED: 422,
  PERMISSION_DENIED: 403,
  UNKNOWN_METHOD: 404,
  PILOT_NOT_FOUND: 404,
  TASK_NOT_FOUND: 404,
  TASK_SET_NOT_FOUND: 404,
  SERVICE_NOT_FOUND: 404,
  ANSWER_NOT_FOUND: 404,
  CREDENTIAL_NOT_FOUND: 404,
  TIMEOUT: 504,
  QUEUE_FULL: 503,
  SERVICE_NOT_READY: 503,
  SERVICE_UNREACHABLE: 502,
  BACKEND_FAILED: 502,
  STATE_UNREACHABLE: 503,
  INTERNAL: 500,
};

/** An error as it crosses the wire: code and message of ours, everything else in `data`. */
export function toWireError(error: unknown): ORPCError<ErrorCode, ErrorData> {
  const data = toData(error);
  return new ORPCError(data.code, { status: STATUS[data.code] ?? 409, message: data.message, data, cause: error });
}

const issuesSchema = z.array(
  z.looseObject({
    message: z.string(),
    path: z.array(z.union([z.string(), z.number()])).optional(),
    /** Names that an object does not have, where that is what is wrong. */
    keys: z.array(z.string()).optional(),
  }),
);

function toData(error: unknown): ErrorData {
  if (error instanceof SyntaxError) return notAMessage(error.message);
  if (!(error instanceof ORPCError)) return toErrorData(error);
  if (error.cause instanceof ValidationError && error.code === 'BAD_REQUEST') return invalidInput(error.cause);
  if (error.code === 'PAYLOAD_TOO_LARGE') return tooLarge();
  if (error.code === 'BAD_REQUEST') return notAMessage(error.message);
  return toErrorData(error);
}

function tooLarge(): ErrorData {
  const hint = 'Put large data into a file and name the file; submit many tasks as a set, in pieces.';
  return plain('INVALID_FRAME', 'a call takes at most 8 MiB', hint);
}

function notAMessage(message: string): ErrorData {
  const hint = 'Send JSON with the header "content-type: application/json".';
  return plain('INVALID_FRAME', message, hint);
}

/** What zod found wrong, as one sentence about the first field concerned, with the others beside it. */
function invalidInput(error: ValidationError): ErrorData {
  const issues = issuesSchema.safeParse(error.issues);
  const found = issues.success ? issues.data : [];
  const lines = found.map(({ path = [], keys = [], message }) => ({
    field: [...path, ...keys.slice(0, 1)].join('.'),
    message: keys.length > 0 ? NO_SUCH_FIELD : message,
  }));
  const [first] = lines;
  const field = first?.field === '' ? undefined : first?.field;
  const text = first === undefined ? 'the input is not valid' : first.message;
  return {
    ...plain('INVALID_DESCRIPTION', field === undefined ? text : `${field}: ${text}`, hintFor(field, text)),
    ...(field === undefined ? {} : { field }),
    ...(lines.length > 1 ? { evidence: lines.map((line) => `${line.field}: ${line.message}`).join('\n') } : {}),
  };
}

const NO_SUCH_FIELD = 'there is no such field';

function hintFor(field: string | undefined, text: string): string {
  if (text === NO_SUCH_FIELD) return 'Check the spelling of the field, or leave it out.';
  return field === undefined ? 'Check what was sent.' : `Correct ${field}.`;
}

function plain(code: ErrorCode, message: string, hint: string): ErrorData {
  return { code, message, hint, retryable: false, ids: {} };
}

/** The answer to a call that there is not. */
export function unknownMethod(path: string): PilothouseError {
  return new PilothouseError('UNKNOWN_METHOD', `there is no call "${path.replace(/^\//, '').replaceAll('/', '.')}"`, {
    hint: 'Client and Pilothouse may be of different versions: update both, then run "pilothouse bridge stop".',
  });
}
