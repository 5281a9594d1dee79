import { PilothouseError } from '@pilothouse/sdk/shared';
import type { Dispatcher } from 'undici';
import { stagingFailed, systemCode } from '../failures.js';
import { shownUrl } from '../locations.js';
import type { Run } from '../run.js';

/** Something that may be over in a moment. */
export class Temporary extends Error {
  override readonly name = 'Temporary';
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
const BUSY = new Set([408, 425, 429, 500, 502, 503, 504]);
const BODY_SHOWN = 500;
/** Codes of errors on the way; others come from this node's own disk. */
const NETWORK =
  /^(UND_ERR|ECONN|EPIPE$|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDR|ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HPE_)/;
const CERTIFICATE = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/;

/**
 * Only what cannot be changed on its way: HTTPS, this machine, or a file whose checksum is given.
 *
 * @throws PilothouseError INVALID_DESCRIPTION
 */
export function checkScheme({ field, checksum, direction }: Run, url: URL): void {
  if (url.username !== '' || url.password !== '') {
    throw new PilothouseError('INVALID_DESCRIPTION', `${field}: ${shownUrl(url)} was given with a password in it`, {
      hint: 'Use a signed URL, or let the task fetch it; descriptions are kept in logs.',
      field,
    });
  }
  if (url.protocol === 'https:') return;
  const safe = LOOPBACK.test(url.hostname) || (checksum.kind === 'is' && direction === 'in');
  if (url.protocol === 'http:' && safe) return;
  throw new PilothouseError('INVALID_DESCRIPTION', `${field}: ${shownUrl(url)} is not encrypted`, {
    hint: 'Use https://, or give the file’s checksum as sha256:<hex>.',
    field,
  });
}

/** The error of an answer that is no success. */
export async function dataRefused(
  { field }: Run,
  url: URL,
  status: number,
  body: Dispatcher.ResponseData['body'],
): Promise<Error> {
  const text = (await body.text().catch(() => '')).slice(0, BODY_SHOWN);
  const options = { field, ...(text === '' ? {} : { evidence: text }) };
  const shown = shownUrl(url);
  if (BUSY.has(status)) return new Temporary(`${shown} answers ${status}`);
  if (status === 404 || status === 410) {
    return new PilothouseError('DATA_NOT_FOUND', `${field}: there is no ${shown} (${status})`, {
      ...options,
      hint: 'Check the URL with a browser.',
    });
  }
  const denied = status === 401 || status === 403 || status === 407;
  return new PilothouseError(denied ? 'PERMISSION_DENIED' : 'STAGING_FAILED', `${field}: ${shown} answers ${status}`, {
    ...options,
    hint: denied
      ? 'Use a URL that carries its permission (a signed one), and check that it has not expired.'
      : 'Check the URL with a browser.',
  });
}

/** What a failed request means, and whether it may work in a moment. */
export function notReached(run: Run, url: URL, error: unknown): { error: PilothouseError; temporary: boolean } {
  const { field } = run;
  const shown = shownUrl(url);
  if (error instanceof Temporary) {
    return {
      temporary: true,
      error: new PilothouseError('STAGING_FAILED', `${field}: ${shown} could not be transferred: ${error.message}`, {
        hint: 'The server is busy or the connection is bad; retry later.',
        field,
        retryable: true,
        cause: error,
      }),
    };
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = systemCode(error) ?? systemCode(cause) ?? '';
  if (!NETWORK.test(code)) return { temporary: false, error: stagingFailed(error, field, 'transferring', shown) };
  const certificate = CERTIFICATE.test(code);
  const hint = certificate
    ? 'Its certificate is not trusted here; name the authorities’ file with SSL_CERT_FILE in the task’s env.'
    : 'Check the host name, and whether this node may reach it; behind a proxy set https_proxy in the task’s env.';
  const evidence = error instanceof Error ? `${code}: ${error.message}` : code;
  return {
    temporary: !certificate && code !== 'ENOTFOUND',
    error: new PilothouseError('STAGING_FAILED', `${field}: ${shown} cannot be reached from this node`, {
      hint,
      field,
      evidence,
      retryable: !certificate,
      cause: error,
    }),
  };
}
