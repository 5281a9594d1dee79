import { PilothouseError } from '@pilothouse/sdk/shared';
import type { Place } from './directory.js';
import { CONNECT_TIMEOUT } from './pools.js';

/** Nothing of the request can have reached the server. */
const NOT_CONNECTED: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'nothing listens there',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its network',
  UND_ERR_CONNECT_TIMEOUT: `it did not take the connection within ${CONNECT_TIMEOUT / 1000} s`,
};

const CUT = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'HPE_INVALID_EOF_STATE']);
const SLOW = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/** What went wrong with one attempt. */
export interface Failure {
  readonly error: PilothouseError;
  /** Nothing could even be connected. */
  readonly refused: boolean;
  /** Another instance may do better. */
  readonly again: boolean;
  /** It says something about the instance. */
  readonly blames: boolean;
}

/** @param begun - whether the head of an answer had come */
export function explain(cause: Error, place: Place, begun: boolean): Failure {
  const code = codeOf(cause) ?? '';
  const { name } = place.target;
  const ids = { instance: place.instance.id };
  const where = `${name} at ${hostOf(place.target.endpoint.url)}`;
  const make = (
    of: 'SERVICE_UNREACHABLE' | 'CERTIFICATE_REFUSED' | 'BACKEND_TIMEOUT' | 'STREAM_CUT' | 'BACKEND_FAILED',
    text: string,
    hint: string,
  ) => new PilothouseError(of, text, { hint, ids, cause });
  if (code in NOT_CONNECTED) {
    const text = `${where} cannot be reached: ${NOT_CONNECTED[code]}`;
    const error = make('SERVICE_UNREACHABLE', text, 'Check that it still runs and that its address is right.');
    return { error, refused: true, again: true, blames: true };
  }
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) {
    const text = `${where} cannot be reached: its certificate was not accepted (${code})`;
    const hint = 'Have its certificate signed by an authority that this machine trusts; it is never left unchecked.';
    return { error: make('CERTIFICATE_REFUSED', text, hint), refused: true, again: true, blames: true };
  }
  if (SLOW.has(code)) {
    const text = `${where} ${begun ? 'stopped sending in the middle of its answer' : 'took the request and never answered'}`;
    const error = make('BACKEND_TIMEOUT', text, 'See its log; restart it if it hangs.');
    return { error, refused: false, again: true, blames: true };
  }
  const cut = CUT.has(code) || code.startsWith('HPE_');
  const doing = begun
    ? 'closed the connection in the middle of its answer'
    : 'closed the connection before it answered';
  const text = `${where} ${cut ? doing : `failed: ${cause.message}`}`;
  const hint = 'See its log, and ask again.';
  const error = make(begun && cut ? 'STREAM_CUT' : 'BACKEND_FAILED', text, hint);
  return { error, refused: false, again: true, blames: true };
}

/** Statuses by which a server says that another may do better, or that the key it was given is not its own. */
export const NOT_AN_ANSWER = new Set([401, 403, 429, 502, 503, 504]);

/** @param said - beginning of the body */
export function refusedWith(status: number, said: string, place: Place): Failure {
  const { name, credential } = place.target;
  const ids = { instance: place.instance.id };
  const evidence = messageIn(said);
  if (status === 401 || status === 403) {
    const which = credential ? `the credential "${credential}"` : 'its key';
    const error = new PilothouseError('AUTHENTICATION_FAILED', `${name} refused ${which} with ${status}`, {
      hint: credential ? `Store the right key: pilothouse credentials add ${credential}` : 'Restart the service.',
      ids,
      evidence,
    });
    return { error, refused: false, again: true, blames: true };
  }
  if (status === 429) {
    const error = new PilothouseError('QUEUE_FULL', `${name} takes no more requests at the moment`, {
      hint: 'Ask again later.',
      retryAfter: 5,
      ids,
      evidence,
    });
    return { error, refused: false, again: true, blames: false };
  }
  const error = new PilothouseError('BACKEND_FAILED', `${name} answered ${status}`, {
    hint: status === 503 ? 'Ask again later; it may still be loading its model.' : 'See its log.',
    ids,
    evidence,
  });
  return { error, refused: false, again: true, blames: true };
}

export function emptyBody(place: Place): Failure {
  const error = new PilothouseError('BACKEND_FAILED', `${place.target.name} answered 200 with an empty body`, {
    hint: 'See its log; restart it if this goes on.',
    ids: { instance: place.instance.id },
  });
  return { error, refused: false, again: true, blames: true };
}

export function tooSlow(place: Place, milliseconds: number): Failure {
  const text = `${place.target.name} sent nothing within ${milliseconds / 1000} s`;
  const error = new PilothouseError('BACKEND_TIMEOUT', text, {
    hint: 'See its log; restart it if it hangs, or allow it more time with routing.attemptTimeout.',
    ids: { instance: place.instance.id },
  });
  return { error, refused: false, again: true, blames: true };
}

export function unfinished(place: Place): Failure {
  const error = new PilothouseError(
    'STREAM_CUT',
    `${place.target.name} ended its stream before the answer was complete`,
    {
      hint: 'See its log, and ask again.',
      ids: { instance: place.instance.id },
    },
  );
  return { error, refused: false, again: false, blames: true };
}

function messageIn(said: string): string | undefined {
  try {
    const body: unknown = JSON.parse(said);
    const error = field(body, 'error');
    const message = field(error, 'message') ?? field(body, 'message') ?? field(body, 'detail') ?? error;
    if (typeof message === 'string') return message.slice(0, 500);
  } catch {
    // Not JSON: shown as it is.
  }
  return said === '' ? undefined : said.slice(0, 500);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
