import { PilothouseError } from '@pilothouse/sdk/shared';
import type { Destination } from './failures.js';

const CA_HINT =
  'Have the authority that signed it added to what this machine trusts (or name its file in NODE_EXTRA_CA_CERTS and start Pilothouse anew); a certificate is never left unchecked.';

/** What each refusal of OpenSSL means, and what helps. */
const CAUSES: Readonly<Record<string, { why: string; hint: string }>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: { why: 'it signed its certificate itself', hint: CA_HINT },
  SELF_SIGNED_CERT_IN_CHAIN: {
    why: 'its certificate comes from an authority that signed itself and that this machine does not know',
    hint: CA_HINT,
  },
  UNABLE_TO_GET_ISSUER_CERT: { why: 'its certificate comes from an authority unknown to this machine', hint: CA_HINT },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: {
    why: 'its certificate comes from an authority unknown to this machine',
    hint: CA_HINT,
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    why: 'its certificate comes from an authority unknown to this machine, or it does not send the certificates between',
    hint: CA_HINT,
  },
  CERT_HAS_EXPIRED: {
    why: 'its certificate has expired',
    hint: 'Have its certificate renewed, and check the clock of this machine.',
  },
  CERT_NOT_YET_VALID: {
    why: 'its certificate is not valid yet',
    hint: 'Check the clock of this machine, and that of the one that made the certificate.',
  },
  CERT_REVOKED: { why: 'its certificate was revoked', hint: 'Have a new certificate made for it.' },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    why: 'its certificate is for another host',
    hint: 'Use the host name that the certificate is for, or have one made for this name.',
  },
};

/** CERTIFICATE_REFUSED with its cause and remedy; undefined where the certificate was not what failed. */
export function certificateError(error: Error, code: string, destination: Destination): PilothouseError | undefined {
  const known = CAUSES[code];
  if (known === undefined && !/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) return undefined;
  const why = known?.why ?? `its certificate was not accepted (${code})`;
  return new PilothouseError('CERTIFICATE_REFUSED', `${destination.name} at ${destination.host}: ${why}`, {
    hint: known?.hint ?? CA_HINT,
    evidence: `${code}: ${error.message}`,
    cause: error,
  });
}
