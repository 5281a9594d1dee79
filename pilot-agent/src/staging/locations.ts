import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PilothouseError } from '@pilothouse/sdk/shared';

/** A path on this node; wildcards stand as they are. */
export interface LocalPlace {
  readonly kind: 'local';
  /** Absolute. */
  readonly path: string;
  /** It was written as a folder: with a slash at its end, or as `.`. */
  readonly folder: boolean;
}

/** Somewhere else. */
export interface RemotePlace {
  readonly kind: 'remote';
  readonly url: URL;
}

export type Place = LocalPlace | RemotePlace;

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i;
/** `.`, `..`, and whatever ends in one of them or in a slash. */
const FOLDER_LIKE = /(^|\/)\.{0,2}$/;

/** Whether a `from` or `to` is a URL, not a path. */
export function isUrl(text: string): boolean {
  return URL_LIKE.test(text);
}

/**
 * What a `from` or `to` means.
 *
 * @param base - absolute folder that relative paths are seen from
 * @param home - what `~` means
 * @param field - the directive, for errors: `stageIn.0`
 * @throws PilothouseError INVALID_DESCRIPTION
 */
export function placeOf(text: string, base: string, home: string | undefined, field: string): Place {
  if (text.includes('\0')) throw invalid(`${field}: a path holds a NUL character`, 'Take it out.', field);
  if (!isUrl(text)) return { kind: 'local', path: absolute(text, base, home), folder: FOLDER_LIKE.test(text) };
  const url = parseUrl(text, field);
  if (url.protocol !== 'file:') return { kind: 'remote', url };
  if (url.hostname !== '' && url.hostname !== 'localhost') {
    throw invalid(`${field}: ${text} names a file of another machine`, 'Write ssh://host/path for it.', field);
  }
  url.hostname = '';
  return { kind: 'local', path: fileURLToPath(url).replace(/(.)\/$/, '$1'), folder: text.endsWith('/') };
}

/** A URL without what may be secret in it: user, password and query. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function absolute(text: string, base: string, home = homedir()): string {
  const expanded = text === '~' || text.startsWith('~/') ? join(home, text.slice(1)) : text;
  return isAbsolute(expanded) ? resolve(expanded) : resolve(base, expanded);
}

function parseUrl(text: string, field: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new PilothouseError('INVALID_DESCRIPTION', `${field}: ${text} is no URL`, {
      hint: 'Write https://host/path, ssh://host/path or file:///path.',
      field,
      cause,
    });
  }
}

function invalid(message: string, hint: string, field: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', message, { hint, field });
}
