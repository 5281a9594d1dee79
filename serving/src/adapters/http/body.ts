import type { IncomingMessage } from 'node:http';
import { PilothouseError } from '@pilothouse/sdk/shared';

/** Bytes of a reply that is no stream: a whole answer, a list of models, an error. */
const MAX_BODY = 32 * 1024 * 1024;
/** Bytes of a body that tells what went wrong. */
const MAX_ERROR = 64 * 1024;

/**
 * Reads a whole body as text.
 *
 * @throws PilothouseError BACKEND_FAILED where it is larger than 32 MiB; STREAM_CUT where it ends before its end
 */
export async function readText(response: IncomingMessage, name: string, signal: AbortSignal): Promise<string> {
  return (await readBytes(response, name, signal, MAX_BODY, true)).toString('utf8');
}

/** Reads the beginning of a body that tells what went wrong; what is cut off there is not missed. */
export async function readErrorText(response: IncomingMessage, name: string, signal: AbortSignal): Promise<string> {
  return (await readBytes(response, name, signal, MAX_ERROR, false)).toString('utf8');
}

async function readBytes(
  response: IncomingMessage,
  name: string,
  signal: AbortSignal,
  limit: number,
  whole: boolean,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response) {
      if (!Buffer.isBuffer(part)) throw new TypeError('a response body came as something other than bytes');
      parts.push(part);
      size += part.length;
      if (size > limit) break;
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (whole) throw streamCut(name, cause);
  }
  if (whole && size > limit) {
    throw new PilothouseError('BACKEND_FAILED', `${name} answered with more than ${limit / 1024 / 1024} MiB at once`, {
      hint: 'Ask for less at a time.',
      retryable: false,
    });
  }
  return Buffer.concat(parts).subarray(0, limit);
}

/** The server stopped in the middle of its answer. */
export function streamCut(name: string, cause?: unknown): PilothouseError {
  return new PilothouseError('STREAM_CUT', `${name} ended the stream in the middle of the answer`, {
    hint: 'Ask again; what came so far is kept.',
    cause,
  });
}

/** The server said that all is well, and nothing else. */
export function emptyAnswer(name: string, status: number): PilothouseError {
  return new PilothouseError('BACKEND_FAILED', `${name} answered ${status} with an empty body`, {
    hint: 'See the log of the service; a proxy before it may have cut the answer.',
  });
}

/** The text as JSON; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is not JSON is no answer: the caller says so, with the text as evidence.
    return undefined;
  }
}
