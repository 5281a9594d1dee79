import { status as Status } from '@grpc/grpc-js';
import { PilothouseError } from '@pilothouse/sdk/shared';
import type { Target } from '../../types.js';
import { streamCut } from '../http/body.js';
import { codeOf, connectionError } from '../http/failures.js';
import { serverError } from '../server-error.js';
import { REMEDY } from './rest-client.js';

/** HTTP's number for each status of gRPC that means the same. */
const LIKE_HTTP: Readonly<Partial<Record<Status, number>>> = {
  [Status.UNAUTHENTICATED]: 401,
  [Status.PERMISSION_DENIED]: 403,
  [Status.INVALID_ARGUMENT]: 400,
  [Status.FAILED_PRECONDITION]: 400,
  [Status.OUT_OF_RANGE]: 400,
  [Status.NOT_FOUND]: 404,
  [Status.UNIMPLEMENTED]: 404,
  [Status.RESOURCE_EXHAUSTED]: 429,
};

/** Turns what gRPC says into the same errors as REST. */
export function grpcError(
  error: { readonly code?: number; readonly details?: string; readonly message: string },
  { target, address, secure, streamed }: { target: Target; address: string; secure: boolean; streamed: boolean },
): PilothouseError {
  const code: Status = error.code ?? Status.UNKNOWN;
  const said = error.details ?? error.message;
  if (code === Status.UNAVAILABLE) {
    if (streamed) return streamCut(target.name, error);
    const cause = withCode(said);
    if (codeOf(cause) !== undefined) return connectionError(cause, { name: target.name, host: address, secure });
    return serverError({ target, what: 'gRPC API', remedy: REMEDY }, 503, JSON.stringify({ error: said }));
  }
  if (code === Status.NOT_FOUND && /model/i.test(said)) {
    return new PilothouseError('MODEL_NOT_FOUND', `${target.name} does not have that model: ${said}`, {
      hint: 'Name one of the models that it lists.',
    });
  }
  const status = LIKE_HTTP[code] ?? 500;
  return serverError({ target, what: 'gRPC API', remedy: REMEDY }, status, JSON.stringify({ error: said }));
}

/** gRPC puts the code of what went wrong with a connection into its sentence. */
function withCode(said: string): Error {
  const code = /\b(E[A-Z]{4,}|[A-Z_]*CERT[A-Z_]*|[A-Z_]*SELF_SIGNED[A-Z_]*|UNABLE_TO_[A-Z_]+)\b/.exec(said)?.[1];
  const words: readonly (readonly [RegExp, string])[] = [
    [/self-signed certificate in certificate chain/i, 'SELF_SIGNED_CERT_IN_CHAIN'],
    [/self-signed certificate/i, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [/certificate has expired/i, 'CERT_HAS_EXPIRED'],
    [/unable to (get local issuer certificate|verify the first certificate)/i, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [/does not match certificate's altnames/i, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ];
  const meant = words.find(([pattern]) => pattern.test(said))?.[1] ?? code;
  return meant === undefined ? new Error(said) : Object.assign(new Error(said), { code: meant });
}
