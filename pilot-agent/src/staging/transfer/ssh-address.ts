import { PilothouseError } from '@pilothouse/sdk/shared';

/** Another machine, and a path on it. */
export interface Remote {
  readonly host: string;
  readonly user: string | null;
  readonly port: string | null;
  /** Absolute, or relative to the user's home there. */
  readonly path: string;
}

/** Seconds after which a machine that does not answer counts as not there. */
const CONNECT_SECONDS = 20;

/**
 * The machine and path that `ssh://user@host:port/path` means; `/~/path` lies in the user's home there.
 *
 * @throws PilothouseError INVALID_DESCRIPTION
 */
export function remoteOf(url: URL, field: string): Remote {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const user = url.username === '' ? null : decodeURIComponent(url.username);
  const path = decodeURIComponent(url.pathname)
    .replace(/^\/~\//, '')
    .replace(/(.)\/$/, '$1');
  const problem =
    url.password !== ''
      ? 'holds a password'
      : url.search !== '' || url.hash !== ''
        ? 'holds ? or #, which mean something else in a URL'
        : !/^[A-Za-z0-9._:%-]+$/.test(host) || host.startsWith('-') || (user ?? '').startsWith('-')
          ? 'names no host'
          : user !== null && !/^[\w.+@-]+$/.test(user)
            ? 'names no user'
            : /[\0\n]/.test(path) || path === '' || path === '/'
              ? 'names no file or folder'
              : null;
  if (problem !== null) {
    throw new PilothouseError('INVALID_DESCRIPTION', `${field}: ssh://${host}${url.pathname} ${problem}`, {
      hint: 'Write ssh://user@host/absolute/path, or ssh://host/~/path for one in your home there; ssh uses your keys.',
      field,
    });
  }
  return { host, user, port: url.port === '' ? null : url.port, path };
}

/** `user@host`, as ssh, scp and rsync take it. */
export function scpAddress({ host, user }: Remote): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return user === null ? name : `${user}@${name}`;
}

/** Options that keep ssh from asking, and from trusting a host it does not know. */
export function sshOptions({ port }: Remote, env: Readonly<Record<string, string>>): string[] {
  const config = env.PILOTHOUSE_SSH_CONFIG;
  return [
    ...(config === undefined || config === '' ? [] : ['-F', config]),
    '-o',
    'BatchMode=yes',
    '-o',
    'StrictHostKeyChecking=yes',
    '-o',
    `ConnectTimeout=${CONNECT_SECONDS}`,
    '-o',
    'ServerAliveInterval=15',
    ...(port === null ? [] : ['-p', port]),
  ];
}

/** A word for a POSIX shell. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
