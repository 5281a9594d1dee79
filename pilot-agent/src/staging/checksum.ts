import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { PilothouseError } from '@pilothouse/sdk/shared';

/** What a directive asks of checksums: none, both ends alike, or this very file. */
export type ChecksumWish =
  | { readonly kind: 'none' }
  | { readonly kind: 'alike' }
  | { readonly kind: 'is'; hex: string };

export function checksumWish(text: string | undefined): ChecksumWish {
  if (text === undefined) return { kind: 'none' };
  const [, hex] = text.split(':');
  return hex === undefined ? { kind: 'alike' } : { kind: 'is', hex };
}

/** sha256 of a file, in hex. */
export async function sha256Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash, { signal });
  return hash.digest('hex');
}

/** The error of a file that is not the one it should be. */
export function checksumMismatch(field: string, path: string, expected: string, found: string): PilothouseError {
  return new PilothouseError('CHECKSUM_MISMATCH', `${field}: ${path} is not what it should be`, {
    hint: 'The file was changed or damaged on its way, or the checksum belongs to another version; it was not put in place.',
    field,
    evidence: `sha256 expected ${expected}, found ${found}`,
  });
}
