import { PilothouseError } from '@pilothouse/sdk/shared';
import { certificateError } from './certificates.js';

/** A connection that nobody took. */
export class ConnectTimeout extends Error {
  readonly code = 'CONNECT_TIMEOUT';

  constructor(milliseconds: number) {
    super(`it did not take the connection within ${milliseconds / 1000} s`);
  }
}

const NEVER_ARRIVED = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECT_TIMEOUT',
]);

const SENTENCES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'nothing listens there',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  ECONNRESET: 'it closed the connection before it answered',
  EPIPE: 'it closed the connection before it answered',
};

const noted = new WeakSet<PilothouseError>();

/** Says of an error that {@link neverArrived} holds, where its cause does not show it. */
export function noteNeverArrived(error: PilothouseError): void {
  noted.add(error);
}

/** Whether nothing of the request can have reached the server, so that asking another instance is safe. */
export function neverArrived(error: unknown): boolean {
  if (!(error instanceof PilothouseError)) return false;
  return noted.has(error) || error.code === 'CERTIFICATE_REFUSED' || NEVER_ARRIVED.has(codeOf(error.cause) ?? '');
}

/** Whether an idle connection was closed by the server just when it was used again. */
export function isStale(error: Error): boolean {
  const code = codeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** Where a connection was wanted. */
export interface Destination {
  /** As people know the server. */
  readonly name: string;
  /** Host and port. */
  readonly host: string;
  /** Over TLS. */
  readonly secure: boolean;
}

/** Turns what came of a connection into the error that says what to do. */
export function connectionError(error: Error, destination: Destination): PilothouseError {
  const code = codeOf(error) ?? '';
  const { name, host, secure } = destination;
  if (secure) {
    const refused = certificateError(error, code, destination);
    if (refused !== undefined) return refused;
  }
  const { why, hint } = explain(error, code, secure);
  return new PilothouseError('SERVICE_UNREACHABLE', `${name} at ${host} cannot be reached: ${why}`, {
    hint,
    cause: error,
  });
}

function explain(error: Error, code: string, secure: boolean): { why: string; hint: string } {
  if (secure && /wrong version number|packet length too long|record layer/i.test(error.message)) {
    return { why: 'it does not speak TLS', hint: 'Write its address with http:// instead of https://.' };
  }
  if (secure && /protocol version|unsupported protocol|handshake failure/i.test(error.message)) {
    return {
      why: 'it speaks no TLS 1.3',
      hint: 'Have TLS 1.3 switched on at the server; older versions are not used.',
    };
  }
  if (code.startsWith('HPE_')) {
    return {
      why: 'what answers there does not speak HTTP',
      hint: 'Check the port; where it speaks TLS, write https://.',
    };
  }
  return { why: SENTENCES[code] ?? error.message, hint: 'Check that it still runs and that its address is right.' };
}

/** The `code` that errors of Node carry. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
