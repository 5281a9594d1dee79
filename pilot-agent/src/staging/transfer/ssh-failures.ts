import { PilothouseError } from '@pilothouse/sdk/shared';
import type { ProgramEnd } from './programs.js';
import type { Remote } from './ssh-address.js';

/** What ssh, scp and rsync say, what it means, and what to do. */
const MEANINGS: readonly {
  readonly says: RegExp;
  readonly code: 'DATA_NOT_FOUND' | 'DISK_FULL' | 'PERMISSION_DENIED' | 'STAGING_FAILED';
  readonly means: string;
  readonly hint: (host: string) => string;
  readonly retryable?: boolean;
}[] = [
  {
    says: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/,
    code: 'PERMISSION_DENIED',
    means: 'its host key is not known, or has changed',
    hint: (host) => `Run "ssh ${host}" once on this machine and check the key that it shows.`,
  },
  {
    says: /Permission denied \(|Too many authentication failures/,
    code: 'PERMISSION_DENIED',
    means: 'it does not let you in',
    hint: (host) =>
      `Set up a key that needs no password: "ssh -o BatchMode=yes ${host} true" must work on this machine.`,
  },
  {
    says: /Could not resolve hostname/,
    code: 'STAGING_FAILED',
    means: 'there is no host of that name',
    hint: () => 'Check the host name, or its entry in ~/.ssh/config.',
  },
  {
    says: /No space left on device/,
    code: 'DISK_FULL',
    means: 'no space is left',
    hint: () => 'Make room at the target, then retry.',
  },
  {
    says: /quota exceeded/i,
    code: 'DISK_FULL',
    means: 'the quota is used up',
    hint: () => 'Remove files at the target or ask for a larger quota, then retry.',
  },
  {
    says: /No such file or directory|not found|link_stat/,
    code: 'DATA_NOT_FOUND',
    means: 'there is no such file or folder',
    hint: (host) => `Check the path with "ssh ${host} ls -l …".`,
  },
  {
    says: /Permission denied|Read-only file system/,
    code: 'PERMISSION_DENIED',
    means: 'the file may not be read or written there',
    hint: () => 'Check the permissions on both machines.',
  },
  {
    // Last, since a transfer that fails for another reason often breaks a pipe, too.
    says: /Connection (refused|timed out|reset|closed)|No route to host|Network is unreachable|Broken pipe/,
    code: 'STAGING_FAILED',
    means: 'it cannot be reached from this node',
    hint: () => 'Check that this node may reach it; compute nodes often may not.',
    retryable: true,
  },
];

/** The error of a transfer by ssh that failed. */
export function sshFailed(field: string, { host, path }: Remote, { code, stderr }: ProgramEnd): PilothouseError {
  const evidence = stderr.trim().split('\n').slice(-10).join('\n');
  const found = MEANINGS.find(({ says }) => says.test(stderr));
  const shown = `ssh://${host}/${path.replace(/^\//, '')}`;
  if (found === undefined) {
    return new PilothouseError('STAGING_FAILED', `${field}: the transfer of ${shown} failed (${code})`, {
      hint: 'The other program says why; see the evidence, then retry.',
      field,
      evidence,
    });
  }
  return new PilothouseError(found.code, `${field}: ${shown}: ${found.means}`, {
    hint: found.hint(host),
    field,
    evidence,
    retryable: found.retryable,
  });
}
